/** As modules, with Jest's names imported. */
import { describe, expect, test } from '@jest/globals'
import { createCache, withCache } from 'llmemo'
import { testCassettes } from 'llmemo/testing'
import { OpenAI } from 'openai'
import cassettes from './cassettes.cjs'

cassettes({ OpenAI, createCache, withCache, testCassettes, jestGlobals: { describe, expect, test } })
