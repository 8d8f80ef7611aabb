import { createHash, randomBytes } from 'node:crypto'
import Anthropic from '@anthropic-ai/sdk'
import { build } from 'esbuild'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { plainSha256 } from '../../src/base/plain-sha256.ts'
import type { Store } from '../../src/store.ts'
import { answer } from '../support/chat.ts'

/** A copy of the library, loaded in the runtime as it is now. */
async function load() {
  vi.resetModules()
  return import('../../src/index.ts')
}

const timers = globalThis.setTimeout

/** Timers are numbers, as in browsers and in older versions of workerd. */
function numberTimers(): void {
  const byNumber = new Map<number, NodeJS.Timeout>()
  let last = 0
  const clear = globalThis.clearTimeout
  vi.stubGlobal('setTimeout', (callback: () => void, milliseconds?: number) => {
    last += 1
    byNumber.set(last, timers(callback, milliseconds))
    return last
  })
  vi.stubGlobal('clearTimeout', (timer: unknown) => clear(byNumber.get(Number(timer))))
  vi.stubGlobal('setImmediate', undefined)
}

/** Immediates are numbers too. */
function numberImmediates(): void {
  const immediate = globalThis.setImmediate
  vi.stubGlobal('setImmediate', (callback: () => void) => {
    immediate(callback)
    return 1
  })
}

/** There are no weak references, and no word of what was collected, as in workerd before 2025-05. */
function noWeakReferences(): void {
  vi.stubGlobal('WeakRef', undefined)
  vi.stubGlobal('FinalizationRegistry', undefined)
}

/** There are no modules of Node.js, as on the edge and in bundles for browsers. */
function noModules(): void {
  vi.stubGlobal('process', Object.assign(Object.create(process), { getBuiltinModule: undefined }))
}

const platforms: readonly (readonly [name: string, enter: () => void])[] = [
  ['where timers are numbers', numberTimers],
  ['without process.getBuiltinModule', noModules],
  ['where process.getBuiltinModule has no modules', () => void vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined)],
  ['where immediates are numbers', numberImmediates],
  ['without weak references', noWeakReferences],
  ['with none of all that', () => [numberTimers, noModules, noWeakReferences].forEach((enter) => enter())],
]

const lines: string[] = []
const logger = { warn: (line: string) => void lines.push(line), info: (line: string) => void lines.push(line) }

beforeEach(() => void lines.splice(0))
afterEach(() => void vi.unstubAllGlobals())

describe.each(platforms)('a runtime %s', (_, enter) => {
  it('G30 has its OpenAI calls answered and cached', async () => {
    enter()
    const { createCache, memoryStore, withCache } = await load()
    let calls = 0
    const fetch = async (): Promise<Response> => {
      calls += 1
      return Response.json(answer())
    }
    const cache = createCache({ logger, store: memoryStore(), prices: false })
    const client = withCache(new OpenAI({ apiKey: 'k', fetch }), cache)
    const ask = () => client.chat.completions.create({ model: 'gpt-5-mini', messages: [{ role: 'user', content: 'hello' }] })
    expect((await ask()).choices[0]?.message.content).toBe('42')
    const again = await ask()
    expect(again._cache.hit).toBe(true)
    expect(again._cache.key).toMatch(/^[\da-f]{64}$/)
    expect(calls).toBe(1)
    await cache.close()
    expect(lines).toEqual([])
  })

  it('G30 has its Anthropic calls answered and cached', async () => {
    enter()
    const { createCache, withCache } = await load()
    const message = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-5',
      content: [{ type: 'text', text: '42' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 1, output_tokens: 1 },
    }
    const client = withCache(
      new Anthropic({ apiKey: 'k', fetch: async () => Response.json(message) }),
      createCache({ logger, prices: false }),
    )
    const ask = () => client.messages.create({ model: 'claude-sonnet-5', max_tokens: 9, messages: [{ role: 'user', content: 'hello' }] })
    expect((await ask())._cache.hit).toBe(false)
    expect((await ask())._cache.hit).toBe(true)
    expect(lines).toEqual([])
  })

  it('G30 has its streams answered and cached, on a signal that lives longer', async () => {
    enter()
    const { createCache, withCache } = await load()
    const chunks = [{ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: '42' }, finish_reason: 'stop' }] }]
    const events = [...chunks.map((chunk) => JSON.stringify(chunk)), '[DONE]'].map((data) => `data: ${data}\n\n`).join('')
    let calls = 0
    const fetch = async (): Promise<Response> => {
      calls += 1
      return new Response(events, { headers: { 'content-type': 'text/event-stream' } })
    }
    const client = withCache(new OpenAI({ apiKey: 'k', fetch }), createCache({ logger, prices: false, streamUsage: false }))
    const { signal } = new AbortController()
    for (let call = 0; call < 3; call++) {
      const messages = [{ role: 'user' as const, content: 'hello' }]
      const said = await Array.fromAsync(await client.chat.completions.create({ model: 'gpt-5-mini', messages, stream: true }, { signal }))
      expect(said.map(({ choices }) => choices[0]?.delta.content)).toEqual(['42'])
    }
    expect(calls).toBe(1)
    expect(lines).toEqual([])
  })

  it('G30 is served what another process compressed, by its first read', async () => {
    const { createCache, withCache } = await load()
    const values = new Map<string, Uint8Array>()
    const store: Store = {
      name: 'own',
      get: (key) => values.get(key),
      set: (key, value) => void values.set(key, value),
      delete: (key) => void values.delete(key),
    }
    const writer = createCache({ logger, store, prices: false })
    const content = 'A long answer. '.repeat(1_000)
    const messages = [{ role: 'user' as const, content: 'hello' }]
    const ask = (cache: typeof writer, wrap: typeof withCache) =>
      wrap(new OpenAI({ apiKey: 'k', fetch: async () => Response.json(answer(content)) }), cache).chat.completions.create({
        model: 'gpt-5-mini',
        messages,
      })
    expect((await ask(writer, withCache))._cache.hit).toBe(false)
    await writer.close()
    expect([...values.values()].filter(({ length }) => length > 300 && length < content.length / 2)).toHaveLength(1)
    enter()
    const other = await load()
    const again = await ask(other.createCache({ logger, store, prices: false }), other.withCache)
    expect(again._cache.hit).toBe(true)
    expect(again.choices[0]?.message.content).toBe(content)
    expect(lines).toEqual([])
  })

  it('G30 has its own values kept', async () => {
    enter()
    const { createCache, memoryStore } = await load()
    const cache = createCache({ logger, store: memoryStore() })
    expect(await cache.wrap('key', '1h', () => 7)).toBe(7)
    await cache.flush()
    expect(await cache.get('key')).toBe(7)
    await cache.close()
  })
})

describe('encryption', () => {
  it('G30 is refused at once in a runtime without node:crypto', async () => {
    noModules()
    const { createCache } = await load()
    const encryption = { keys: { a: new Uint8Array(32) }, current: 'a' }
    expect(() => createCache({ encryption })).toThrow(/option "encryption" is given; allowed is none in this runtime/)
  })
})

describe('SHA-256 in plain JavaScript', () => {
  it('G30 is the same as by node:crypto, for every length around a block and for long texts', () => {
    for (const length of [...Array.from({ length: 130 }, (_, index) => index), 1_000, 65_537]) {
      const bytes = randomBytes(length)
      expect(Buffer.from(plainSha256(bytes)).toString('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
    }
  })
})

describe('a bundle for browsers', () => {
  it('G30 is made without a word, and imports no module of Node.js', async () => {
    const entry = new URL('../../src/index.ts', import.meta.url).pathname
    const options = {
      bundle: true,
      write: false,
      splitting: true,
      outdir: 'out',
      metafile: true,
      format: 'esm',
      platform: 'browser',
    } as const
    const { errors, warnings, metafile } = await build({ entryPoints: [entry], logLevel: 'silent', ...options })
    expect([errors, warnings]).toEqual([[], []])
    const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
    expect(imports.filter(({ external }) => external)).toEqual([])
  })
})
