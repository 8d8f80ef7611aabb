import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LlmemoError } from '../../src/errors.ts'
import * as source from '../../src/index.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import { answer, ask, callerOf, eventNames, openCache, question, settle } from '../support/chat.ts'
import { assertBuilt } from '../support/packed.ts'
import { ScriptedStore } from '../support/scripted-store.ts'

const tasks = fileURLToPath(new URL('../support/process-tasks.ts', import.meta.url))
const built = fileURLToPath(new URL('../../dist/index.cjs', import.meta.url))
const isBuilt = hasBuild()

/** Whether there is a build, of the source as it is now. */
function hasBuild(): boolean {
  try {
    assertBuilt()
    return true
  } catch (error) {
    console.warn(`SKIPPED: P04 with two copies of the library: ${String(error)}`)
    return false
  }
}

let folder: string
const children: ChildProcess[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'llmemo-process-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

function oops(): never {
  throw new Error('oops')
}

/** For the reads of a test that must find what is stored, however long the machine takes. */
const readDeadline = '1h'

/** What the types of hooks forbid and JavaScript does not. */
const rejects: () => unknown = () => Promise.reject(new Error('oops'))

/** Runs a task to its end. A task that does not end lasts as long as its test. */
async function run(flags: readonly string[], ...given: string[]): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, [...flags, tasks, ...given], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  let output = ''
  child.stdout.on('data', (data) => (output += String(data)))
  const [code] = await once(child, 'close')
  return { code, output }
}

describe('P03 a program that waits for a cache over a store that never answers', () => {
  it('does not end before it has its answer', async () => {
    const waits = ['ask', 'get', 'wrap', 'set', 'invalidate', 'lookup', 'flush']
    // Each waits for limits of its own, in real time.
    const ends = await Promise.all(waits.map(async (what) => ({ what, ...(await run([], 'hung', what)) })))
    expect(ends).toEqual(waits.map((what) => ({ what, code: 0, output: 'done' })))
  })
})

describe('P03 a program that made one call and closes nothing', () => {
  it('ends by itself, with its answer written', async () => {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer('over the wire')))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const file = join(folder, 'answers.db')
    try {
      expect(await run([], 'call', `http://127.0.0.1:${port}/v1`, file)).toEqual({ code: 0, output: 'over the wire\n' })
    } finally {
      server.closeAllConnections()
      server.close()
    }
    const store = sqliteStore(file)
    const keys: string[] = []
    for await (const key of store.keys?.('') ?? []) if (key.includes(':v1:')) keys.push(key)
    expect(keys).toHaveLength(1)
    await store.close?.()
  })
})

describe('P04 several threads and several copies', () => {
  it('G57 worker threads over one file end by themselves, and answer every question with its own answer', async () => {
    const file = join(folder, 'answers.db')
    const said = await Promise.all(
      ['one', 'two'].map(async (name) => {
        const worker = new Worker(tasks, { workerData: ['ask', file, name] })
        // The test listens for both at once: the thread may end in the turn in which its message arrives.
        const [messages, ended]: [unknown[], unknown[]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')])
        expect(ended).toEqual([0])
        return messages[0]
      }),
    )
    const answers = Array.from({ length: 100 }, (_, index) => `re: question ${index}`)
    expect(said).toEqual(['one', 'two'].map((name) => ({ name, answers, asked: expect.any(Number) })))
    const cache = source.createCache({ store: sqliteStore(file), readDeadline })
    const caller = callerOf(cache)
    expect([await caller.ask('question 7'), caller.asked]).toEqual(['re: question 7', []])
    await cache.close()
  })

  describe.skipIf(!isBuilt)('the source and the CommonJS build in one process', () => {
    // What the build exports is what the source exports; test/package.test.ts proves it.
    const copy: typeof source = isBuilt ? createRequire(import.meta.url)(built) : source

    it('are two copies', () => {
      expect(copy.createCache).not.toBe(source.createCache)
    })

    it('share no flight: each asks its own origin, and has its own answer', async () => {
      const gate = Promise.withResolvers<void>()
      const asked: string[] = []
      const origin = (name: string) => async () => {
        asked.push(name)
        await gate.promise
        return Response.json(answer(`from ${name}`))
      }
      const call = (library: typeof source, name: string) =>
        library.cachingFetch(library.createCache({ prices: false }), origin(name))('https://api.openai.com/v1/chat/completions', {
          method: 'POST',
          body: JSON.stringify(question().body),
        })
      const calls = [call(source, 'source'), call(copy, 'copy')]
      await settle()
      gate.resolve()
      const bodies: unknown[] = await Promise.all((await Promise.all(calls)).map((response) => response.json()))
      expect(bodies).toEqual([answer('from source'), answer('from copy')])
      expect(asked.toSorted()).toEqual(['copy', 'source'])
    })

    it.each<[string, typeof source, typeof source]>([
      ['the source takes a cache of the copy', copy, source],
      ['the copy takes a cache of the source', source, copy],
    ])('%s: its client is answered from it', async (_, maker, user) => {
      const cache = maker.createCache({ prices: false })
      let calls = 0
      const bare = new OpenAI({
        apiKey: 'sk-test',
        fetch: () => {
          calls++
          return Promise.resolve(Response.json(answer('once')))
        },
      })
      const client = user.withCache(bare, cache)
      const create = () => client.chat.completions.create({ model: 'gpt-5-mini', messages: [{ role: 'user', content: 'hello' }] })
      const [first, second] = [await create(), await create()]
      expect([first.choices[0]?.message.content, second.choices[0]?.message.content, calls]).toEqual(['once', 'once', 1])
      expect([user.cacheInfo(first)?.hit, user.cacheInfo(second)?.hit]).toEqual([false, true])
      expect(cache.stats()).toMatchObject({ hits: 1, misses: 1 })
    })

    it('read what the other wrote, and know the errors of the other', async () => {
      const store = new ScriptedStore()
      const first = copy.createCache({ store, prices: false })
      await first.store(question(), answer('from the copy'))
      await first.flush()
      expect(await ask(source.createCache({ store, prices: false }))).toBe('from the copy')
      let thrown: unknown
      try {
        copy.createCache({ ttl: 0 })
      } catch (error) {
        thrown = error
      }
      expect([thrown instanceof LlmemoError, LlmemoError.isInstance(thrown)]).toEqual([false, true])
    })
  })
})

describe('P05 a thousand caches, as hot reload makes them', () => {
  it('leave no listener, no warning and no memory behind', async () => {
    const { code, output } = await run(['--expose-gc'], 'caches', '1000')
    expect(code).toBe(0)
    const { grown, warnings, listeners }: { grown: number; warnings: string[]; listeners: number } = JSON.parse(output)
    expect([warnings, listeners]).toEqual([[], 0])
    // A thousand answers of 10 KB in two tiers would be 20 MB.
    expect(grown).toBeLessThan(4_000_000)
  })
})

describe("P06 functions of the user's own that fail", () => {
  it.each([
    ['listeners that throw', oops],
    ['listeners that reject', rejects],
  ])('%s: one line, and every call goes on', async (_, listener) => {
    const store = new ScriptedStore()
    store.writes = 'rejects'
    const { cache, told } = openCache({ store, maxMemoryBytes: 2_000 })
    for (const name of eventNames) cache.on(name, listener)
    const caller = callerOf(cache)
    for (let call = 0; call < 20; call++) expect(await caller.ask(`question ${call % 5}`)).toBe(`re: question ${call % 5}`)
    await cache.invalidate({ all: true })
    await cache.flush()
    await settle()
    const own = told.lines.filter((line) => line.includes('a function of yours failed'))
    expect(own).toEqual(['llmemo: a function of yours failed (Error); calls go on, and further such errors are only counted.'])
    expect(cache.stats().errorKinds['hook']).toBeGreaterThan(20)
  })

  it('a listener that fails does not keep the event from the next', async () => {
    const { cache } = openCache()
    const heard: string[] = []
    cache.on('miss', oops)
    cache.on('miss', ({ operation }) => heard.push(operation))
    await callerOf(cache).ask('a')
    expect(heard).toEqual(['chat'])
  })

  it('G49 a policy that throws: one line, and nothing is stored', async () => {
    const { cache, told } = openCache({ policy: oops })
    const caller = callerOf(cache)
    for (let call = 0; call < 10; call++) expect(await caller.ask(`question ${call % 5}`)).toBe(`re: question ${call % 5}`)
    expect(caller.asked).toHaveLength(10)
    expect(told.lines).toHaveLength(1)
    expect(cache.stats().errorKinds).toEqual({ hook: 10 })
  })

  it.each([
    ['throws', { warn: oops, info: oops }],
    ['rejects', { warn: rejects, info: rejects }],
  ])('a logger that %s: its lines are counted, and every call goes on', async (_, logger) => {
    const store = new ScriptedStore()
    const { cache, clock } = openCache({ store, logger, policy: oops })
    const caller = callerOf(cache)
    store.reads = 'rejects'
    for (let call = 0; call < 10; call++) expect(await caller.ask(`question ${call}`)).toBe(`re: question ${call}`)
    store.reads = 'works'
    clock.advance(20_000)
    expect(await caller.ask('last')).toBe('re: last')
    await settle()
    // One line each for the policy, the outage and its end, beside what the policy itself counts.
    expect(cache.stats().errorKinds['hook']).toBe(caller.asked.length + 3)
  })
})

describe('P07 a body of 50 MB', () => {
  it('passes to its caller, and is neither parsed nor written nor kept', async () => {
    const store = new ScriptedStore()
    const { cache } = openCache({ store })
    const chunk = new Uint8Array(2 ** 20).fill(0x20)
    const origin = async () => {
      let sent = 0
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (sent++ < 50) controller.enqueue(chunk)
          else controller.close()
        },
      })
      return new Response(body, { headers: { 'content-type': 'application/json' } })
    }
    const longest = { length: 0 }
    for (const name of ['parse', 'stringify'] as const) {
      const real = JSON[name]
      vi.spyOn(JSON, name).mockImplementation((...given: unknown[]) => {
        const result: unknown = Reflect.apply(real, JSON, given)
        for (const text of [given[0], result]) if (typeof text === 'string') longest.length = Math.max(longest.length, text.length)
        // What the real one returns.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        return result as string
      })
    }
    const response = await source.cachingFetch(cache, origin)('https://api.openai.com/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify(question().body),
    })
    let received = 0
    for await (const part of response.body ?? []) received += part.byteLength
    await cache.flush()
    expect(received).toBe(50 * 2 ** 20)
    expect(longest.length).toBeLessThan(1_000_000)
    expect(store.entryKeys()).toEqual([])
    expect(cache.memory().entries).toBe(0)
    expect(cache.stats().skipped).toEqual({ 'too large': 1 })
    expect(source.cacheInfo(response)).toMatchObject({ stored: false, reason: 'too large' })
  })
})

describe('I7 what a cache tells', () => {
  it('holds no prompt, no answer and no secret, whatever goes wrong', async () => {
    const logged = ['log', 'info', 'warn', 'error', 'debug'] as const
    const spies = logged.map((name) => vi.spyOn(console, name))
    const everything: string[] = []
    const note = (value: unknown) => void everything.push(inspect(value, { depth: 12, showHidden: true }))
    const secret = 'MARKER'
    const key = new Uint8Array(32).fill(77)
    const options = { maxEntryBytes: 2_000, encryption: { keys: { id: key }, current: 'id' } }
    for (const manner of ['works', 'throws', 'rejects', 'garbage', 'never'] as const) {
      const store = new ScriptedStore()
      const { cache, clock, told } = openCache({ ...options, store, policy: () => expect.unreachable(`a policy with ${secret}`) })
      cache.on('miss', () => expect.unreachable(`a listener with ${secret}`))
      const fetch = source.cachingFetch(cache, async (_, init) => {
        const body = typeof init?.body === 'string' ? init.body : ''
        if (body.includes('fails')) throw new Error(`the origin says ${secret}`)
        if (body.includes('refused')) return Response.json({ error: { message: secret } }, { status: 400 })
        if (body.includes('odd')) return new Response(`${secret} is no JSON`, { headers: { 'content-type': 'application/json' } })
        return Response.json(answer(body.includes('long') ? secret.repeat(1_000) : `${secret} in the answer`))
      })
      const call = (text: string) =>
        fetch('https://api.openai.com/v1/chat/completions', {
          method: 'POST',
          headers: { authorization: `Bearer sk-${secret}`, 'openai-organization': `org-${secret}` },
          body: JSON.stringify(question(`${secret} ${text}`).body),
        }).then(
          (response) => response.text(),
          () => 'failed',
        )
      const texts = ['plain', 'fails', 'refused', 'odd', 'long', 'plain']
      for (const text of texts) await call(text)
      await cache.set(`kv`, `${secret} value`)
      await cache.flush()
      // What lies in the store is damaged, swapped and foreign from now on.
      const places = store.entryKeys()
      places.forEach((place, index) => {
        const bytes = store.map.get(place) ?? new Uint8Array()
        const other = store.map.get(places[(index + 1) % places.length] ?? '') ?? bytes
        store.map.set(place, [bytes.subarray(0, 90), other, Buffer.from(`${secret} of another application`)][index % 3] ?? bytes)
      })
      Object.assign(store, { reads: manner, writes: manner === 'garbage' ? 'throws' : manner, deletes: manner })
      const fresh = openCache({ ...options, store, clock })
      for (const caller of [source.cachingFetch(fresh.cache, () => Promise.resolve(Response.json(answer(`${secret} again`)))), fetch]) {
        const asked = texts.map((text) =>
          caller('https://api.openai.com/v1/chat/completions', {
            method: 'POST',
            headers: { authorization: `Bearer sk-${secret}` },
            body: JSON.stringify(question(`${secret} ${text} ${manner}`).body),
          }).catch(() => undefined),
        )
        const values = [fresh.cache.get('kv'), fresh.cache.wrap('kv', 5, () => `${secret} made`), cache.del('kv')]
        await settle()
        for (let passed = 0; passed < 3; passed++) {
          clock.advance(10_000)
          await settle()
        }
        await Promise.allSettled([...asked, ...values])
      }
      const closing = Promise.all([cache.close(), fresh.cache.close()])
      for (let passed = 0; passed < 5; passed++) {
        await settle()
        clock.advance(10_000)
      }
      await closing
      for (const each of [told, fresh.told, cache.stats(), fresh.cache.stats()]) note(each)
    }
    for (const spy of spies) note(spy.mock.calls)
    const text = everything.join('\n')
    expect(text).toContain('StoreError')
    expect(text).toContain('a function of yours failed')
    // `4d` is 77, of which the key is made.
    for (const marker of [secret, '77, 77, 77', '4d4d4d', Buffer.from(key).toString('base64').slice(0, 20)])
      expect(text).not.toContain(marker)
  })
})
