import type { JsonObject } from '../../../src/json/object.ts'
import Anthropic from '@anthropic-ai/sdk'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { createCache } from '../../../src/cache/cache.ts'
import { anthropicMessages } from '../../../src/providers/anthropic/messages.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { bodyOf, verdicts } from '../../support/verdicts.ts'
import { reasonOfUnreadable, type Recording, recordings, recordingsFound } from '../../support/recordings.ts'
import { isStreamed } from '../../support/anthropic-answers.ts'
import { type SdkMessages, sdks } from '../../support/anthropic-sdks.ts'
import { outcomeOf } from '../../support/outcome.ts'

/** One recorded answer. */
interface Case {
  readonly file: string
  readonly recording: Recording
  readonly streamed: boolean
  /** Whether it has parts that only the SDK's beta resource knows. */
  readonly beta: boolean
  /** `storable`, or why it is not. */
  readonly verdict: string
}

const betaFeatures = /"(?:context_management|compaction|mcp_tool_use|fallback|iterations)"/

function casesOf(recorded: readonly Recording[]): Case[] {
  const verdict = verdicts(anthropicMessages, recorded)
  return recorded.flatMap((recording) =>
    [false, true]
      .filter((streamed) => (streamed ? recording.events : recording.whole) !== undefined)
      .map((streamed) => {
        const file = `${recording.name}${streamed ? '.stream.jsonl' : '.json'}`
        const beta = betaFeatures.test(JSON.stringify([recording.whole, recording.events]).replaceAll('\\', ''))
        return { file, recording, streamed, beta, verdict: verdict[file] ?? 'unknown' }
      }),
  )
}

const request = { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] }

function requestOf({ streamed }: Pick<Case, 'streamed'>): JsonObject {
  return streamed ? { ...request, stream: true } : { ...request }
}

function make(server: ProviderServer): Anthropic {
  return new Anthropic({ baseURL: new URL(server.url).origin, apiKey: 'test-key', authToken: null, maxRetries: 0, logLevel: 'off' })
}

function serve(server: ProviderServer, recording: Recording): void {
  server.respond((asked, reply) => {
    const { whole, events } = recording
    const headers = { 'request-id': `req_${recording.name}` }
    if (isStreamed(asked) && events !== undefined) return reply.events(events, { headers })
    if (whole === undefined) throw new TypeError('there is no such recording')
    return reply.text(whole, { headers: { ...headers, 'content-type': 'application/json' } })
  })
}

/** The SDK's resource for a case: the one for beta features if the case needs it. */
function messagesOf(
  client: { readonly messages: SdkMessages; readonly beta: { readonly messages: SdkMessages } },
  each: Case,
): SdkMessages {
  return each.beta ? client.beta.messages : client.messages
}

describe.skipIf(!recordingsFound)('recorded answers of Anthropic over a socket', () => {
  const cases = casesOf(recordings('anthropic-messages'))
  let server: ProviderServer
  beforeEach(async () => {
    server = await startProvider()
  })
  afterEach(() => server.close())

  it('are there', () => {
    expect(cases.filter(({ verdict }) => verdict === 'storable')).toHaveLength(18)
    expect(cases.filter(({ verdict }) => verdict !== 'storable').map(({ file }) => file)).toEqual([
      'anthropic-refusal.json',
      'anthropic-refusal.stream.jsonl',
      'anthropic-tool-search-bm25.1.stream.jsonl',
      'anthropic-tool-search-deferred-bm25.stream.jsonl',
      'duplicate-message-start.stream.jsonl',
    ])
    expect(cases.filter(({ beta }) => beta).length).toBeGreaterThan(5)
  })

  describe.each(sdks)('$name', (sdk) => {
    it.each(cases)(
      'I1 S09: $file reaches the caller as from the bare client, and from the cache if it is storable ($verdict)',
      async (each) => {
        serve(server, each.recording)
        const bare = sdk.make({ url: server.url })
        const cache = createCache({ logger: false })
        const wrapped = withCache(bare, cache)
        const expected = await outcomeOf(() => messagesOf(bare, each).create(requestOf(each)))
        expect(expected.error).toBeUndefined()
        expect(server.requests).toHaveLength(1)

        expect(await outcomeOf(() => messagesOf(wrapped, each).create(requestOf(each)))).toStrictEqual(expected)
        expect(server.requests).toHaveLength(2)
        // Both clients send the provider the same request.
        expect(server.requests[1]?.path).toMatch(/^\/v1\/messages(?:\?beta=true)?$/)
        expect(server.requests[1]?.path).toBe(server.requests[0]?.path)
        expect(server.requests[1]?.body).toEqual(server.requests[0]?.body)

        const storable = each.verdict === 'storable'
        expect(await outcomeOf(() => messagesOf(wrapped, each).create(requestOf(each)))).toStrictEqual(expected)
        expect(server.requests).toHaveLength(storable ? 2 : 3)
        expect(cache.stats()).toMatchObject({ hits: storable ? 1 : 0, misses: storable ? 1 : 2, errors: 0 })
        const reason = each.verdict === 'incomplete stream' ? reasonOfUnreadable(each.recording.events ?? []) : each.verdict
        expect(cache.stats().skipped).toEqual(storable ? {} : { [reason]: 2 })
      },
    )
  })

  describe('in the other mode from the same entry', () => {
    const both = cases.filter(({ verdict }) => verdict === 'storable')

    it.each(both.filter(({ streamed }) => streamed))('K08 S09: $file is served whole as the SDK accumulates it', async (each) => {
      serve(server, each.recording)
      const bare = make(server)
      const wrapped = withCache(bare, createCache({ logger: false }))
      const accumulated = await messagesOf(bare, each).stream(request).finalMessage()
      await outcomeOf(() => messagesOf(wrapped, each).create(requestOf(each)))
      expect(server.requests).toHaveLength(2)
      const whole = await messagesOf(wrapped, each).create(request)
      expect(server.requests).toHaveLength(2)
      expect(cacheInfo(whole)).toMatchObject({ hit: true, source: 'memory' })
      expect(bodyOf(whole)).toEqual(plain(accumulated))
    })

    it.each(both.filter(({ streamed }) => !streamed))('K08 S09: $file is streamed so that the SDK accumulates it', async (each) => {
      serve(server, each.recording)
      const wrapped = withCache(make(server), createCache({ logger: false }))
      const whole = await messagesOf(wrapped, each).create(request)
      const helper = messagesOf(wrapped, each).stream(request)
      const accumulated = await helper.finalMessage()
      expect(server.requests).toHaveLength(1)
      expect(cacheInfo(helper)).toMatchObject({ hit: true, source: 'memory' })
      expect(plain(accumulated)).toEqual(bodyOf(whole))
    })
  })
})

/** An answer as it was sent, without the members that the SDK adds for structured outputs. */
function plain(answer: object): JsonObject {
  const { parsed_output: _, ...sent } = bodyOf(answer)
  return sent
}
