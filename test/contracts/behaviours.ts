/**
 * What holds for every protocol and every SDK that goes through a cache: one list of behaviours, each asked of a real SDK over a real socket.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CallOptions } from '../../src/call.ts'
import { type Cache, createCache } from '../../src/cache/cache.ts'
import type { Fetch } from '../../src/clients/http/caching-fetch.ts'
import { cachingFetch } from '../../src/clients/with-cache.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { type ProviderReply, type ProviderRequest, type ProviderServer, startProvider } from '../support/provider-server.ts'
import { top } from '../support/packed.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

/** What an SDK gave to its caller. */
export interface Told {
  /** The words, the vectors or whatever the answer is. */
  readonly text: string
  /** All of it that can be compared: the whole answer, or all parts of the stream. */
  readonly all: unknown
}

/** Where an SDK is to send its calls. */
export interface Way {
  /** The server's address, without a path. */
  readonly url: string
  /** A `fetch` that goes through the cache. */
  readonly fetch: Fetch
  readonly cache: Cache
  /** Headers that the SDK is to send with each call: none, where the options of a call reach the cache in another way. */
  readonly headers: Readonly<Record<string, string>>
}

/** A clock that knows how many flights are under way: I8 each has a timer until it ends. That of hits, which are told together, is of a second. */
class FlightClock extends ManualClock {
  flights = 0

  override after(milliseconds: number, callback: () => void): () => void {
    const cancel = super.after(milliseconds, callback)
    if (milliseconds <= 1_000) return cancel
    this.flights++
    return () => {
      this.flights--
      cancel()
    }
  }
}

/** What lies between an SDK and its provider. */
export interface Passage {
  readonly way: Way
  /** Makes a call with options for the cache. */
  steer(options: Pick<CallOptions, 'scope' | 'tags' | 'mode'>, make: (way: Way) => Promise<Told>): Promise<Told>
  close(): Promise<void>
}

/** A protocol as an SDK speaks it. */
export interface Spoken {
  /** What is called, with the versions of the packages: see {@link versionOf}. */
  readonly title: string
  /** An address of the provider's own that is called; the server answers in its place. @default the server's own */
  readonly host?: string
  /** Starts the server that plays the provider. @default an HTTP/1.1 server that streams server-sent events */
  readonly start?: typeof startProvider
  /** What lies between the SDK and the server. @default a `fetch` over a cache in this process */
  readonly through?: (server: ProviderServer, cache: Cache) => Promise<Passage>
  /** Answers one request in the provider's own form, as a stream if the request asks for one. The answer says `text`. */
  readonly answer: (request: ProviderRequest, reply: ProviderReply, text: string) => unknown
  /** Answers with an error that no SDK asks again after. @default status 400 and an error as OpenAI writes it */
  readonly fail?: (reply: ProviderReply) => unknown
  readonly ask: (way: Way, prompt: string) => Promise<Told>
  /** Asks for a stream and reads it to its end. @default the protocol has no streams */
  readonly stream?: (way: Way, prompt: string) => Promise<Told>
  /** Whether a whole answer serves a stream and the other way round. @default true */
  readonly crosses?: boolean
  /** The tokens that one answer uses; `undefined` if it does not say. */
  readonly tokens: number | undefined
  /** @default none but a scope */
  readonly options?: CacheOptions
}

/** The name and the version of an installed package. */
export function versionOf(name: string): string {
  const { version } = JSON.parse(readFileSync(join(top, 'node_modules', name, 'package.json'), 'utf8'))
  return `${name} ${String(version)}`
}

/** Asks for every behaviour. */
export function describeBehaviours({
  title,
  host,
  start = startProvider,
  through = (server, cache) => Promise.resolve(inProcess(server, cache, host)),
  answer,
  fail = refuse,
  ask,
  stream,
  crosses = true,
  tokens,
  options,
}: Spoken): void {
  // oxlint-disable-next-line vitest/valid-title -- a member of the parameter, whose type is string
  describe(title, () => {
    let server: ProviderServer
    let cache: Cache
    let way: Way
    let passage: Passage
    let clock: FlightClock
    /** Makes a call, and waits until its flight has ended: some SDKs stop at the last line of a stream, before its end. */
    const landed =
      (make: NonNullable<typeof stream>): NonNullable<typeof stream> =>
      async (...given) => {
        const told = await make(...given)
        while (clock.flights > 0) await new Promise((resolve) => setImmediate(resolve))
        return told
      }
    const ways: readonly (readonly [string, NonNullable<typeof stream>])[] = [
      ['whole', landed(ask)],
      ...(stream === undefined ? [] : [['streamed', landed(stream)] as const]),
    ]

    beforeEach(async () => {
      server = await start((request, reply) => answer(request, reply, `answer ${server.requests.length}`))
      clock = new FlightClock()
      cache = createCache({ logger: false, clock, ...options })
      passage = await through(server, cache)
      way = passage.way
    })
    afterEach(async () => {
      await passage.close()
      await server.close()
    })

    it.each(ways)('%s: a second call asks nobody, and gets the same', async (_, make) => {
      const first = await make(way, 'Hi')
      const second = await make(way, 'Hi')
      expect(server.requests.length).toBe(1)
      expect(first.text).not.toBe('')
      expect(second).toEqual(first)
      expect(cache.stats()).toMatchObject({ hits: 1, misses: 1 })
    })

    it.each(ways)('%s: another question is another answer', async (_, make) => {
      const first = await make(way, 'Hi')
      expect((await make(way, 'Ho')).text).not.toBe(first.text)
      expect(server.requests.length).toBe(2)
    })

    it.each(ways)('%s: scopes share nothing', async (_, make) => {
      const asked = (scope: string): Promise<Told> => passage.steer({ scope }, (steered) => make(steered, 'Hi'))
      const [one, two] = [await asked('one'), await asked('two')]
      expect(two.text).not.toBe(one.text)
      expect((await asked('one')).text).toBe(one.text)
      expect(server.requests.length).toBe(2)
    })

    it.each(ways)('%s: what was tagged can be outdated', async (_, make) => {
      const tagged = (): Promise<Told> => passage.steer({ tags: ['doc:1'] }, (steered) => make(steered, 'Hi'))
      const first = await tagged()
      await cache.invalidate({ tags: ['doc:2'] })
      expect(await tagged()).toEqual(first)
      await cache.invalidate({ tags: ['doc:1'] })
      expect((await tagged()).text).not.toBe(first.text)
    })

    it.each(ways)('%s: a call past the cache neither reads nor writes', async (_, make) => {
      const past = (): Promise<Told> => passage.steer({ mode: 'no-store' }, (steered) => make(steered, 'Hi'))
      const first = await past()
      const second = await make(way, 'Hi')
      expect(second.text).not.toBe(first.text)
      expect((await past()).text).not.toBe(second.text)
      expect((await make(way, 'Hi')).text).toBe(second.text)
    })

    it.each(ways)("%s: an error is the SDK's own, and is not stored", async (_, make) => {
      server.respond((_request, reply) => fail(reply))
      await expect(make(way, 'Hi')).rejects.toThrow(Error)
      const failed = server.requests.length
      server.respond((request, reply) => answer(request, reply, 'well'))
      await make(way, 'Hi')
      await make(way, 'Hi')
      expect(server.requests.length).toBe(failed + 1)
    })

    it.each(ways)('%s: usage is counted once for each hit', async (_, make) => {
      for (let call = 0; call < 3; call++) await make(way, 'Hi')
      const { savedTokens } = cache.stats()
      expect(savedTokens).toBe((tokens ?? 0) * 2)
    })

    it.runIf(stream !== undefined && crosses)('a whole answer serves a stream, and a stream a whole answer', async () => {
      if (stream === undefined) return
      const [asking, streaming] = [landed(ask), landed(stream)]
      const whole = await asking(way, 'Hi')
      expect((await streaming(way, 'Hi')).text).toBe(whole.text)
      const streamed = await streaming(way, 'Ho')
      expect((await asking(way, 'Ho')).text).toBe(streamed.text)
      expect(server.requests.length).toBe(2)
    })
  })
}

/** A `fetch` over a cache in this process. */
function inProcess(server: ProviderServer, cache: Cache, host: string | undefined): Passage {
  const fetch = cachingFetch(cache, host === undefined ? globalThis.fetch : redirected(server))
  const way = { url: server.url.replace(/\/v1$/, ''), fetch, cache, headers: {} }
  return { way, steer: (options, make) => cache.with(options, () => make(way)), close: () => Promise.resolve() }
}

/** Sends every call to the server, whatever host it names. */
function redirected({ url }: ProviderServer): Fetch {
  return (input, init) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input)
    return globalThis.fetch(new URL(`${pathname}${search}`, url), init)
  }
}

function refuse(reply: ProviderReply): void {
  reply.json({ error: { message: 'no', type: 'invalid_request_error', code: 400, status: 'INVALID_ARGUMENT' } }, { status: 400 })
}
