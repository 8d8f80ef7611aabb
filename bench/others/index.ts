/**
 * All that are measured, llmemo first.
 * @module
 */
import { loaders, other } from './loaders.ts'
import type { Other } from './other.ts'

/** llmemo and what a user could pick instead. */
export const everyone: readonly Other[] = await Promise.all(Object.keys(loaders).map(other))
