/**
 * All that are measured, llmemo first.
 * @module
 */
import { aiSdk } from './ai-sdk.ts'
import { bentocache } from './bentocache.ts'
import * as byHand from './by-hand.ts'
import { cacheable } from './cacheable.ts'
import { langchain } from './langchain.ts'
import { llmCacher } from './llm-cacher.ts'
import { llmemo } from './llmemo.ts'
import type { Other } from './other.ts'

/** llmemo and what a user could pick instead. */
export const everyone: readonly Other[] = [llmemo, byHand.map, byHand.redis, bentocache, cacheable, llmCacher, langchain, aiSdk]
