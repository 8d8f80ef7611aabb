import { describe, expect, it } from 'vitest'
import { createEntryCodec } from '../../../src/codec/entry-codec.ts'
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import type { CacheOptions } from '../../../src/engine/settings/options.ts'
import type { Entry, EntryHead } from '../../../src/entry.ts'
import { LlmemoError } from '../../../src/errors.ts'
import { answer, ask, openCache, question } from '../../support/chat.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

const codec = createEntryCodec({ compressAbove: Infinity, maxBodyBytes: 8 * 2 ** 20 })

/**
 * A store with an answer in it, written by a program that can write there.
 * @param forge what lies there instead of an honest entry
 */
async function planted(forge: (honest: Entry) => Uint8Array, options: CacheOptions = {}) {
  const store = new ScriptedStore()
  const clock = new ManualClock()
  const writer = openCache({ store, clock })
  await writer.cache.store(question(), answer('honest'))
  await writer.cache.flush()
  const place = store.entryKeys()[0] ?? ''
  const bytes = forge(codec.decode(store.map.get(place) ?? new Uint8Array()))
  store.map.set(place, bytes)
  const reader = openCache({ store, clock, ...options })
  return { store, place, ...reader, now: () => Buffer.from(store.map.get(place) ?? []) }
}

function withHead(honest: Entry, head: Partial<EntryHead>): Uint8Array {
  return codec.encode({ ...honest, head: { ...honest.head, ...head } })
}

function withBody(honest: Entry, body: string | Uint8Array, head: Partial<EntryHead> = {}): Uint8Array {
  return codec.encode({ body, head: { ...honest.head, ...head } })
}

/** An answer that was cut off at its greatest length. */
function cutOff(honest: Entry): Uint8Array {
  return withBody(honest, JSON.stringify(answer('so', 'length')))
}

describe('what lies in the store and is not ours', () => {
  it.each<[string, Uint8Array]>([
    ['B01 0 bytes', new Uint8Array(0)],
    ['B01 plain text', Buffer.from('hello from another application')],
    ["B01 another application's JSON", Buffer.from('{"choices":[{"message":{"content":"foreign"}}]}')],
    ['B01 random bytes', Uint8Array.from({ length: 1_024 }, (_, index) => (Math.imul(index + 1, 2_654_435_761) >>> 13) & 255)],
    ['B05 an entry of a newer version', Buffer.from('LMEM\u0002of which nothing is known here')],
  ])('%s: is a miss, and stays as it is when the answer is filled in', async (_, foreign) => {
    const { cache, now, errors } = await planted(() => foreign)
    expect(await ask(cache)).toBeUndefined()
    expect(errors()).toEqual(['entry'])
    await cache.store(question(), answer('filled'))
    await cache.flush()
    expect(now().equals(foreign)).toBe(true)
    expect(await ask(cache)).toBe('filled')
  })

  it('B05 gives way when its owner has removed it', async () => {
    const { cache, store, place, clock } = await planted(() => Buffer.from('LMEM\u0002'), { maxMemoryBytes: 0 })
    await ask(cache)
    store.map.delete(place)
    expect(await ask(cache)).toBeUndefined()
    await cache.store(question(), answer('filled'))
    await cache.flush()
    expect(await ask(openCache({ store, clock }).cache)).toBe('filled')
  })

  it('B05 is not forgotten because the store failed to answer once', async () => {
    const { cache, store, now } = await planted(() => Buffer.from('LMEM\u0002'), { maxMemoryBytes: 0 })
    await ask(cache)
    store.reads = 'rejects'
    await ask(cache)
    await cache.store(question(), answer('filled'))
    await cache.flush()
    expect(now().toString()).toBe('LMEM\u0002')
  })
})

describe('what lies in the store and is ours, but not for this question', () => {
  it.each<[string, Partial<EntryHead>]>([
    ['another key', { key: '0'.repeat(64) }],
    ['another scope', { scope: 'somebody else' }],
  ])('B04 an entry of %s: is a miss and counted by itself, and the next fill overwrites it', async (_, head) => {
    const { cache, errors, now } = await planted((honest) => withHead(honest, head))
    expect(await ask(cache)).toBeUndefined()
    expect(errors()).toEqual(['foreign'])
    expect(cache.stats().errorKinds).toEqual({ foreign: 1 })
    await cache.store(question(), answer('filled'))
    await cache.flush()
    expect(codec.decode(now()).head).toMatchObject({ scope: '' })
    expect(JSON.parse(String(codec.decode(now()).body))).toEqual(answer('filled'))
  })
})

describe('what lies in the store, is for this question, and is no answer', () => {
  const damaged: [string, (honest: Entry) => Uint8Array][] = [
    ['B02 truncated', (honest) => codec.encode(honest).subarray(0, 100)],
    ['B02 altered', (honest) => codec.encode(honest).map((byte, index) => (index === 200 ? byte ^ 1 : byte))],
    ['B11 no JSON', (honest) => withBody(honest, 'not JSON')],
    ['B11 no object', (honest) => withBody(honest, '[1]')],
    ['B11 no choices', (honest) => withBody(honest, '{}')],
    ['B11 an empty list of choices', (honest) => withBody(honest, JSON.stringify({ ...answer(), choices: [] }))],
    ['B11 an empty text', (honest) => withBody(honest, JSON.stringify(answer('')))],
    ['B11 an error', (honest) => withBody(honest, JSON.stringify({ error: { message: 'no', type: 'server_error' } }))],
    ['B11 one that was cut off', cutOff],
    ['B11 a stream without its end mark', (honest) => withBody(honest, 'data: {"choices":[]}\n\n', { kind: 'sse' })],
    ['B11 no stream', (honest) => withBody(honest, 'hello', { kind: 'sse' })],
    ['B11 bytes', (honest) => withBody(honest, Uint8Array.of(1, 2, 3), { kind: 'bytes' })],
    ['B11 the answer of another endpoint', (honest) => withHead(honest, { endpoint: 'embeddings' })],
    ['B11 the answer of another provider', (honest) => withHead(honest, { provider: 'anthropic' })],
    ['B11 an answer with the status of an error', (honest) => withHead(honest, { status: 500 })],
    ['B11 an answer with a status that none can have', (honest) => withHead(honest, { status: 7 })],
    ['B11 an answer with headers that none can have', (honest) => withHead(honest, { headers: { 'a header': 'a\nb' } })],
    ['B10 JSON 100,000 levels deep', (honest) => withBody(honest, `${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
    ['B10 an object 100,000 levels deep', (honest) => withBody(honest, `${'{"choices":'.repeat(100_000)}1${'}'.repeat(100_000)}`)],
  ]

  it.each(damaged)('%s: is a miss, told of once, and the next fill overwrites it', async (_, forge) => {
    const { cache, errors, now, told } = await planted(forge)
    expect(await ask(cache)).toBeUndefined()
    expect(errors()).toEqual(['entry'])
    await cache.store(question(), answer('filled'))
    await cache.flush()
    expect(JSON.parse(String(codec.decode(now()).body))).toEqual(answer('filled'))
    for (const { event } of told.events.filter(({ name }) => name === 'error')) {
      expect(LlmemoError.isInstance(Reflect.get(Object(event), 'error'))).toBe(true)
    }
  })

  it.each(damaged)('%s: is never what a caller of fetch gets', async (_, forge) => {
    const { cache } = await planted(forge)
    let calls = 0
    const fetch = cachingFetch(cache, () => {
      calls++
      return Promise.resolve(Response.json(answer('from the origin')))
    })
    const ask = () => fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body: JSON.stringify(question().body) })
    const first = await ask()
    expect([first.status, await first.json(), calls]).toEqual([200, answer('from the origin'), 1])
    const second = await ask()
    expect([await second.json(), calls]).toEqual([answer('from the origin'), 1])
  })

  it('B14 does not make the store unusable, however often it is met', async () => {
    const { cache, store, told } = await planted((honest) => codec.encode(honest).subarray(0, 100), { maxMemoryBytes: 0 })
    for (let time = 0; time < 100; time++) await ask(cache)
    expect(told.events.filter(({ name }) => name === 'state')).toEqual([])
    expect(told.lines).toEqual([])
    store.calls.length = 0
    await ask(cache)
    expect(store.count('get')).toBeGreaterThan(0)
  })

  it('B11 the answer of an endpoint for bytes is bytes', async () => {
    const speech = { endpoint: 'audio.speech', body: { model: 'tts-1', voice: 'alloy', input: 'hello' } } as const
    const store = new ScriptedStore()
    const clock = new ManualClock()
    const fetch = cachingFetch(openCache({ store, clock }).cache, () =>
      Promise.resolve(new Response(Uint8Array.of(1, 2, 3), { headers: { 'content-type': 'audio/mpeg', 'content-length': '3' } })),
    )
    const ask = (through: typeof fetch) =>
      through('https://api.openai.com/v1/audio/speech', { method: 'POST', body: JSON.stringify(speech.body) })
    await (await ask(fetch)).arrayBuffer()
    const place = await written(store)
    const honest = codec.decode(store.map.get(place) ?? new Uint8Array())
    expect(honest).toMatchObject({ body: Uint8Array.of(1, 2, 3), head: { kind: 'bytes' } })
    let calls = 0
    const again = () => {
      calls++
      return Promise.resolve(new Response(Uint8Array.of(9), { headers: { 'content-type': 'audio/mpeg' } }))
    }
    expect(new Uint8Array(await (await ask(cachingFetch(openCache({ store, clock }).cache, again))).arrayBuffer())).toEqual(
      Uint8Array.of(1, 2, 3),
    )
    expect(calls).toBe(0)
    for (const wrong of [withBody(honest, new Uint8Array(0)), withBody(honest, JSON.stringify(answer()), { kind: 'json' })]) {
      store.map.set(place, wrong)
      expect(new Uint8Array(await (await ask(cachingFetch(openCache({ store, clock }).cache, again))).arrayBuffer())).toEqual(
        Uint8Array.of(9),
      )
    }
    expect(calls).toBe(2)
  })
})

describe("the user's policy", () => {
  it('is asked about an answer with a reason against it, and has the last word', async () => {
    const asked: (string | undefined)[] = []
    const policy: CacheOptions['policy'] = ({ reason }) => {
      asked.push(reason)
      return reason === undefined || reason === 'length'
    }
    expect(await ask((await planted(cutOff, { policy })).cache)).toBe('so')
    expect(asked).toEqual(['length'])
    expect(await ask((await planted(cutOff, { policy: () => false })).cache)).toBeUndefined()
  })

  it('is not asked about a sound answer again, so that a policy that stores every tenth answer reads them all', async () => {
    expect(await ask((await planted((honest) => codec.encode(honest), { policy: () => false })).cache)).toBe('honest')
  })

  it('never makes an answer of what cannot be read at all', async () => {
    for (const forge of [
      (honest: Entry) => withBody(honest, 'not JSON'),
      (honest: Entry) => withBody(honest, 'data: {}\n\n', { kind: 'sse' }),
    ]) {
      expect(await ask((await planted(forge, { policy: () => true })).cache)).toBeUndefined()
    }
  })

  it('P06 that throws has no opinion here either', async () => {
    const cut = await planted(cutOff, { policy: () => expect.unreachable('this policy throws') })
    expect(await ask(cut.cache)).toBeUndefined()
    expect(cut.told.lines).toHaveLength(1)
  })
})

describe('time', () => {
  it('C01 an entry that would live for ever is not believed', async () => {
    for (const head of [{ ttl: 1e300 }, { stale: 1e300 }, { ttl: Number.MAX_SAFE_INTEGER }, { ttl: 10 * 366 * 86_400_000 }]) {
      expect(await ask((await planted((honest) => withHead(honest, head))).cache)).toBeUndefined()
    }
  })

  it('C03 an entry is over at its very end', async () => {
    const { cache, clock, store } = await planted((honest) => withHead(honest, { ttl: 60_000 }), { maxMemoryBytes: 0 })
    clock.advance(59_999)
    expect(await ask(cache)).toBe('honest')
    clock.advance(1)
    expect(store.entryKeys()).toHaveLength(1)
    expect(await ask(cache)).toBeUndefined()
  })

  it('C03 an entry that may be served stale is over at the very end of that', async () => {
    const { cache, clock } = await planted((honest) => withHead(honest, { ttl: 60_000, stale: 30_000 }), { maxMemoryBytes: 0 })
    const content = question('What is the answer?', { mode: 'force-cache' })
    clock.advance(89_999)
    expect(await ask(cache, content)).toBe('honest')
    clock.advance(1)
    expect(await ask(cache, content)).toBeUndefined()
  })
})

describe('data', () => {
  it('B09 B13 names of Object.prototype and of classes stay data', async () => {
    const body = `{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"lc":1,"type":"constructor","id":["child_process"],${JSON.stringify(
      answer('plain'),
    ).slice(1)}`
    const { cache } = await planted((honest) => withBody(honest, body))
    const looked = await cache.lookup(question())
    expect(looked?.answer).toEqual(JSON.parse(body))
    expect(Object.getPrototypeOf(looked?.answer)).toBe(Object.prototype)
    expect(Object.hasOwn(looked?.answer ?? {}, '__proto__')).toBe(true)
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })

  it('B09 labels with names of Object.prototype are labels like any other', async () => {
    const { cache } = openCache()
    const tags = ['__proto__', 'constructor', 'toString']
    await cache.store(question('a', { tags }), answer())
    expect(await ask(cache, question('a'))).toBe('42')
    await cache.invalidate({ tags: ['__proto__'] })
    expect(await ask(cache, question('a'))).toBeUndefined()
  })
})

/** The place of the one entry in the store, once it is written. */
async function written(store: ScriptedStore): Promise<string> {
  for (let turn = 0; turn < 100 && store.entryKeys().length === 0; turn++) await new Promise((resolve) => setImmediate(resolve))
  return store.entryKeys()[0] ?? ''
}

describe('an answer that is read again and again', () => {
  it('is judged once while it stays the same, and again when something else lies there', async () => {
    const { cache, store, place, errors } = await planted((honest) => withHead(honest, {}), { maxMemoryBytes: 0 })
    expect([await ask(cache), await ask(cache)]).toEqual(['honest', 'honest'])
    const honest = codec.decode(store.map.get(place) ?? new Uint8Array())
    store.map.set(place, withBody(honest, '{"choices":[]}'))
    expect([await ask(cache), await ask(cache)]).toEqual([undefined, undefined])
    expect(errors()).toEqual(['entry', 'entry'])
    store.map.set(place, withBody(honest, JSON.stringify(answer('changed'))))
    expect(await ask(cache)).toBe('changed')
  })

  it("is judged each time by the user's policy, which may change its mind", async () => {
    let allowed = true
    const { cache } = await planted(cutOff, { maxMemoryBytes: 0, policy: () => allowed })
    expect(await ask(cache)).toBe('so')
    allowed = false
    expect(await ask(cache)).toBeUndefined()
  })
})
