/** Under Jest's globals, as CommonJS. */
const { OpenAI } = require('openai')
const { createCache, withCache } = require('llmemo')
const { testCassettes } = require('llmemo/testing')
const cassettes = require('./cassettes.cjs')

cassettes({ OpenAI, createCache, withCache, testCassettes, jestGlobals: { describe, expect, test } })
