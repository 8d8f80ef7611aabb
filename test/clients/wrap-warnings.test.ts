import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { createCache, withCache } from '../../src/index.ts'

function logged() {
  const lines: string[] = []
  return { lines, logger: { warn: (line: string) => void lines.push(line), info: (line: string) => void lines.push(line) } }
}

describe('withCache', () => {
  it('G50 says so when it makes a cache for each request', () => {
    const { lines, logger } = logged()
    for (let request = 0; request < 4; request++) withCache(new OpenAI({ apiKey: 'hunter2', baseURL: 'http://a.test/v1' }), { logger })
    expect(lines).toEqual([expect.stringMatching(/makes a cache for each of many clients.*createCache\(\) outside/)])
    expect(lines.join('\n')).not.toContain('hunter2')
  })

  it('G50 says so when one client is wrapped by two caches', () => {
    const { lines, logger } = logged()
    const client = new Anthropic({ apiKey: 'hunter2' })
    withCache(client, { logger })
    expect(lines).toEqual([])
    withCache(client, { logger })
    expect(lines).toEqual([expect.stringMatching(/a second time, with another cache/)])
  })

  it('G50 says nothing of clients that share a cache, or of one client wrapped twice by one', () => {
    const { lines, logger } = logged()
    const cache = createCache({ logger })
    const client = new OpenAI({ apiKey: 'k', baseURL: 'http://b.test/v1' })
    for (let time = 0; time < 20; time++) withCache(client, cache)
    for (let time = 0; time < 20; time++) withCache(new OpenAI({ apiKey: 'k', baseURL: 'http://b.test/v1' }), cache)
    expect(lines).toEqual([])
  })
})
