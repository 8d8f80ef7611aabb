import type { JsonObject } from '../../../src/json/object.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { createCache } from '../../../src/cache/cache.ts'
import type { Endpoint } from '../../../src/providers/endpoint.ts'
import { openaiChat } from '../../../src/providers/openai/chat.ts'
import { openaiCompletions } from '../../../src/providers/openai/completions.ts'
import { openaiEmbeddings } from '../../../src/providers/openai/embeddings.ts'
import { openaiResponses } from '../../../src/providers/openai/responses.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'
import { bodyOf, verdicts } from '../../support/verdicts.ts'
import { reasonOfUnreadable, type Recording, recordings, recordingsFound } from '../../support/recordings.ts'
import { type SdkClient, sdks } from '../../support/openai-sdks.ts'
import { outcomeOf } from '../../support/outcome.ts'

interface Group {
  readonly name: string
  readonly endpoint: Endpoint
  readonly body: JsonObject
  readonly path: string
  ask(client: SdkClient, body: JsonObject): PromiseLike<unknown>
}

const messages = [{ role: 'user', content: 'Hi' }]
const groups: readonly Group[] = [
  {
    name: 'openai-chat',
    endpoint: openaiChat,
    body: { model: 'm', messages },
    path: '/v1/chat/completions',
    ask: (client, body) => client.chat.completions.create(body),
  },
  {
    name: 'openai-completions',
    endpoint: openaiCompletions,
    body: { model: 'm', prompt: 'Hi' },
    path: '/v1/completions',
    ask: (client, body) => client.completions.create(body),
  },
  {
    name: 'openai-embeddings',
    endpoint: openaiEmbeddings,
    // The recording has two embeddings, as floats.
    body: { model: 'm', input: ['a', 'b'], encoding_format: 'float' },
    path: '/v1/embeddings',
    ask: (client, body) => client.embeddings.create(body),
  },
  {
    name: 'openai-responses',
    endpoint: openaiResponses,
    body: { model: 'm', input: 'Hi' },
    path: '/v1/responses',
    ask: (client, body) => client.responses.create(body),
  },
]

/** One recorded answer, and the request for it. */
interface Case {
  readonly file: string
  readonly group: Group
  readonly recording: Recording
  readonly streamed: boolean
  /** `storable`, or why it is not. */
  readonly verdict: string
}

function casesOf(group: Group): Case[] {
  const recorded = recordings(group.name)
  const verdict = verdicts(group.endpoint, recorded)
  return recorded.flatMap((recording) =>
    [false, true]
      .filter((streamed) => (streamed ? recording.events : recording.whole) !== undefined)
      .map((streamed) => {
        const file = `${recording.name}${streamed ? '.stream.jsonl' : '.json'}`
        return { file, group, recording, streamed, verdict: verdict[file] ?? 'unknown' }
      }),
  )
}

/** The request for a case. It asks for the usage in a stream of chunks, as the recordings have it. */
function requestOf({ group, streamed }: Pick<Case, 'group' | 'streamed'>): JsonObject {
  if (!streamed) return { ...group.body }
  const chunked = group.endpoint === openaiChat || group.endpoint === openaiCompletions
  return { ...group.body, stream: true, ...(chunked && { stream_options: { include_usage: true } }) }
}

/** The status of a case: recorded errors of the provider have their own, all others have 200. */
function statusOf(whole: string): number {
  const error: unknown = bodyOf(JSON.parse(whole))['error']
  if (error === undefined || error === null) return 200
  return JSON.stringify(error).includes('quota') ? 429 : 400
}

function serve(server: ProviderServer, recording: Recording): void {
  server.respond(({ body }, reply) => {
    const { whole, events } = recording
    const headers = { 'x-request-id': `req_${recording.name}` }
    if (bodyOf(body)['stream'] === true && events !== undefined) return reply.events(events, { headers })
    if (whole === undefined) throw new TypeError('there is no such recording')
    return reply.text(whole, { status: statusOf(whole), headers: { ...headers, 'content-type': 'application/json' } })
  })
}

/**
 * The cache's reason for not storing an answer, by the verdict on its recording.
 * @param failed whether the SDK threw: it then left the stream before its end
 */
function reasonOf({ verdict, recording, streamed }: Case, failed: boolean): string {
  if (verdict === 'incomplete stream') {
    const reason = reasonOfUnreadable(recording.events ?? [])
    return failed && reason !== 'error' ? 'aborted' : reason
  }
  const status = streamed ? 200 : statusOf(recording.whole ?? '{}')
  return status === 200 ? verdict : `status ${status}`
}

describe.skipIf(!recordingsFound)('recorded answers of OpenAI over a socket', () => {
  const cases = groups.flatMap(casesOf)
  let server: ProviderServer
  beforeEach(async () => {
    server = await startProvider()
  })
  afterEach(() => server.close())

  it('are there', () => {
    expect(cases.filter(({ verdict }) => verdict === 'storable').length).toBeGreaterThan(25)
    expect(cases.filter(({ verdict }) => verdict !== 'storable').map(({ file }) => file)).toEqual([
      'reasoning-model-legacy-parameter-error.json',
      'openai-completion-text.json',
      'openai-completion-text.stream.jsonl',
      'openai-error.1.json',
      'openai-error.1.stream.jsonl',
      'openai-reasoning-encrypted-content.1.stream.jsonl',
      'parallel-tool-call-wrapper.1.stream.jsonl',
      'reasoning-model-temperature-error.json',
    ])
  })

  describe.each(sdks)('$name', ({ make }) => {
    it.each(cases)(
      'I1 S09: $group.name/$file reaches the caller as from the bare client, and from the cache if it is storable ($verdict)',
      async (each) => {
        const { group, recording, verdict } = each
        serve(server, recording)
        const bare = make({ url: server.url })
        const cache = createCache({ logger: false })
        const wrapped = withCache(bare, cache)
        const request = requestOf(each)
        const expected = await outcomeOf(() => group.ask(bare, request))
        expect(server.requests).toHaveLength(1)

        expect(await outcomeOf(() => group.ask(wrapped, request))).toStrictEqual(expected)
        expect(server.requests).toHaveLength(2)
        // Both clients send the provider the same request.
        expect(server.requests[1]?.path).toBe(group.path)
        expect(server.requests[1]?.body).toEqual(server.requests[0]?.body)

        expect(await outcomeOf(() => group.ask(wrapped, request))).toStrictEqual(expected)
        const storable = verdict === 'storable'
        expect(server.requests).toHaveLength(storable ? 2 : 3)
        // A batch of embeddings counts by its inputs.
        const { input } = request
        const calls = group.name === 'openai-embeddings' && Array.isArray(input) ? input.length : 1
        expect(cache.stats()).toMatchObject({ hits: storable ? calls : 0, misses: storable ? calls : 2 * calls, errors: 0 })
        expect(cache.stats().skipped).toEqual(storable ? {} : { [reasonOf(each, expected.error !== undefined)]: 2 })
      },
    )
  })

  describe('openai 7, in the other mode from the same entry', () => {
    const [{ make } = expect.fail('there is no SDK')] = sdks
    const both = cases.filter(({ verdict, group }) => verdict === 'storable' && group.endpoint.streaming !== undefined)

    // The SDK's accumulator does not know the events of patches, and throws.
    const known = both.filter(({ recording: { events = [] } }) => !events.some(({ event = '' }) => event.includes('apply_patch_call')))

    it.each(known.filter(({ streamed }) => streamed))(
      'K08 S09: $group.name/$file is served whole as the SDK accumulates it',
      async (each) => {
        const { group, recording } = each
        serve(server, recording)
        const bare = make({ url: server.url })
        const wrapped = withCache(bare, createCache({ logger: false }))
        const accumulated = await accumulate(bare, each)
        await outcomeOf(() => group.ask(wrapped, requestOf(each)))
        const asked = server.requests.length
        const whole = await group.ask(wrapped, requestOf({ group, streamed: false }))
        expect(server.requests).toHaveLength(asked)
        expect(cacheInfo(whole)).toMatchObject({ hit: true })
        expect(plain(accumulated)).toEqual(plain(whole))
      },
    )

    it.each(both.filter(({ streamed }) => !streamed))(
      'K08 S09: $group.name/$file is streamed so that the SDK accumulates it',
      async (each) => {
        const { group, recording } = each
        serve(server, recording)
        const wrapped = withCache(make({ url: server.url }), createCache({ logger: false }))
        const whole = await group.ask(wrapped, requestOf(each))
        expect(server.requests).toHaveLength(1)
        const accumulated = await accumulate(wrapped, each)
        expect(server.requests).toHaveLength(1)
        expect(plain(accumulated)).toEqual(plain(whole))
      },
    )
  })
})

/** Members that the SDK's accumulators add, and one that they do not know, of which they keep the last part. */
const notSent = new Set(['parsed', 'output_parsed', 'output_text', 'parsed_arguments', 'reasoning_content'])

/** An answer as it was sent. Without a request for log probabilities, the accumulator has `null`, and some providers nothing. */
function plain(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer, (name, value: unknown) => (isSent(name, value) ? value : undefined)))
}

function isSent(name: string, value: unknown): boolean {
  return !notSent.has(name) && (name !== 'logprobs' || value !== null)
}

/** The answer that the SDK's own accumulator makes of the stream. */
async function accumulate(client: SdkClient, { group }: Case): Promise<JsonObject> {
  const request = requestOf({ group, streamed: true })
  return group.endpoint === openaiChat
    ? bodyOf(await client.chat.completions.stream(request).finalChatCompletion?.())
    : bodyOf(await client.responses.stream(request).finalResponse?.())
}
