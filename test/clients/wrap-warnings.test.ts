import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import Anthropic0 from 'anthropic0'
import Anthropic060 from 'anthropic060'
import Groq from 'groq-sdk'
import OpenAI5 from 'openai5'
import OpenAI6 from 'openai6'
import Together from 'together-ai'
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

  it('G02 G50 says so when a method of the given client calls that client, past the cache', () => {
    const { lines, logger } = logged()
    const bound = new OpenAI({ apiKey: 'hunter2' })
    const { completions } = bound.chat
    const create = completions.create.bind(completions)
    Object.assign(completions, { create: (...given: Parameters<typeof create>) => create(...given) })
    withCache(bound, { logger })
    expect(lines).toEqual([expect.stringMatching(/chat\.completions\.create go past the cache.*first/)])
    const { lines: others, logger: other } = logged()
    const native = new Anthropic({ apiKey: 'hunter2' })
    native.messages.create = native.messages.create.bind(native.messages)
    withCache(native, { logger: other })
    expect(others).toEqual([expect.stringMatching(/messages\.create go past the cache/)])
  })

  it('G50 says nothing of methods that call the client which they are called on', () => {
    const { lines, logger } = logged()
    const client = new OpenAI({ apiKey: 'k' })
    const { completions } = client.chat
    const create: unknown = Reflect.get(completions, 'create')
    Object.assign(completions, {
      create(this: unknown, ...given: unknown[]): unknown {
        return typeof create === 'function' && Reflect.apply(create, this, given)
      },
    })
    withCache(client, { logger })
    expect(lines).toEqual([])
  })

  it.each<[string, () => object]>([
    ['openai 7', () => new OpenAI({ apiKey: 'k' })],
    ['openai 6', () => new OpenAI6({ apiKey: 'k' })],
    ['openai 5', () => new OpenAI5({ apiKey: 'k' })],
    ['Anthropic 1', () => new Anthropic({ apiKey: 'k' })],
    ['Anthropic 0.137', () => new Anthropic0({ apiKey: 'k' })],
    ['Anthropic 0.60', () => new Anthropic060({ apiKey: 'k' })],
    ['groq-sdk', () => new Groq({ apiKey: 'k' })],
    ['together-ai', () => new Together({ apiKey: 'k' })],
  ])('G02 G03 refuses a Proxy of a client of %s, and an object that inherits from one, whose calls it would never see', (_, make) => {
    const { lines, logger } = logged()
    const cache = createCache({ logger })
    expect(() => withCache(new Proxy(make(), {}), cache)).toThrow(/Proxy.*past the cache. Wrap the client first/s)
    expect(() => withCache(Object.create(make()), cache)).toThrow(/inherits.*past the cache. Wrap the client first/s)
    withCache(Object.freeze(make()), cache)
    expect(lines).toEqual([])
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
