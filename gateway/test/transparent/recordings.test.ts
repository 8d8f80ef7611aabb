import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServerEvent } from '../../../src/base/server-sent-events.ts'
import { formatEvents } from '../../../src/base/server-sent-events.ts'
import { parseJsonObject } from '../../../src/json/object.ts'
import { openaiChat } from '../../../src/providers/openai/chat.ts'
import { openaiCompletions } from '../../../src/providers/openai/completions.ts'
import { openaiEmbeddings } from '../../../src/providers/openai/embeddings.ts'
import { openaiResponses } from '../../../src/providers/openai/responses.ts'
import { anthropicMessages } from '../../../src/providers/anthropic/messages.ts'
import { bedrockConverse } from '../../../src/providers/bedrock/converse.ts'
import type { Endpoint } from '../../../src/providers/endpoint.ts'
import { frame } from '../../../test/support/bedrock-server.ts'
import { type ProviderServer, startProvider } from '../../../test/support/provider-server.ts'
import { type Recording, recordings, recordingsFound } from '../../../test/support/recordings.ts'
import { verdicts } from '../../../test/support/verdicts.ts'
import { listening } from '../support/listening.ts'

/** How a group of recordings is asked for, whole and streamed. */
interface Group {
  readonly name: string
  readonly endpoint: Endpoint
  readonly path: (streamed: boolean) => string
  readonly body: (streamed: boolean) => object
  readonly type: string
  /** The bytes of a stream, as its provider sends them. */
  readonly bytesOf: (events: readonly ServerEvent[]) => Buffer
}

const asEvents = {
  type: 'text/event-stream; charset=utf-8',
  bytesOf: (events: readonly ServerEvent[]) => Buffer.from(formatEvents(events)),
}
const messages = [{ role: 'user', content: 'Hi' }]
const usage = { stream_options: { include_usage: true } }

const groups: readonly Group[] = [
  {
    ...asEvents,
    name: 'openai-chat',
    endpoint: openaiChat,
    path: () => '/openai/v1/chat/completions',
    body: (stream) => ({ model: 'm', messages, ...(stream && { stream, ...usage }) }),
  },
  {
    ...asEvents,
    name: 'openai-completions',
    endpoint: openaiCompletions,
    path: () => '/openai/v1/completions',
    body: (stream) => ({ model: 'm', prompt: 'Hi', ...(stream && { stream, ...usage }) }),
  },
  {
    ...asEvents,
    name: 'openai-embeddings',
    endpoint: openaiEmbeddings,
    path: () => '/openai/v1/embeddings',
    body: () => ({ model: 'm', input: ['a', 'b'], encoding_format: 'float' }),
  },
  {
    ...asEvents,
    name: 'openai-responses',
    endpoint: openaiResponses,
    path: () => '/openai/v1/responses',
    body: (stream) => ({ model: 'm', input: 'Hi', ...(stream && { stream }) }),
  },
  {
    ...asEvents,
    name: 'anthropic-messages',
    endpoint: anthropicMessages,
    path: () => '/anthropic/v1/messages',
    body: (stream) => ({ model: 'm', max_tokens: 100, messages, ...(stream && { stream }) }),
  },
  {
    name: 'bedrock-converse',
    endpoint: bedrockConverse,
    path: (streamed) => `/bedrock/model/m/converse${streamed ? '-stream' : ''}`,
    body: () => ({ messages: [{ role: 'user', content: [{ text: 'Hi' }] }] }),
    type: 'application/vnd.amazon.eventstream',
    bytesOf: (events) => Buffer.concat(events.map(frame)),
  },
]

/** A recorded event of Bedrock under its name, which the wire has in a header. */
function named({ data }: ServerEvent): ServerEvent {
  const [[event, value] = ['', {}]] = Object.entries(parseJsonObject(data) ?? {})
  return { event, data: JSON.stringify(value) }
}

function withNamedEvents(recorded: Recording): Recording {
  const { events } = recorded
  return events === undefined ? recorded : Object.assign({}, recorded, { events: events.map(named) })
}

interface Case {
  readonly group: Group
  readonly file: string
  readonly streamed: boolean
  readonly bytes: Buffer
  readonly isStorable: boolean
}

function casesOf(group: Group): Case[] {
  const { name, endpoint, bytesOf } = group
  const found = recordings(name)
  const recorded = endpoint === bedrockConverse ? found.map(withNamedEvents) : found
  const verdict = verdicts(endpoint, recorded)
  const cases: Case[] = []
  for (const { name: each, whole, events } of recorded) {
    const add = (file: string, streamed: boolean, bytes: Buffer): void => {
      cases.push({ group, file: `${name}/${file}`, streamed, bytes, isStorable: verdict[file] === 'storable' })
    }
    if (whole !== undefined) add(`${each}.json`, false, Buffer.from(whole))
    if (events !== undefined) add(`${each}.stream.jsonl`, true, bytesOf(events))
  }
  return cases
}

describe.skipIf(!recordingsFound)('recorded answers through the gateway', () => {
  const cases = groups.flatMap(casesOf)
  let provider: ProviderServer
  beforeAll(async () => {
    provider = await startProvider()
  })
  afterAll(() => provider.close())

  it('are there', () => expect(cases.filter(({ isStorable }) => isStorable).length).toBeGreaterThan(55))

  it.each(cases)(
    'I1 S09: $file reaches the client byte for byte, and is the same from the cache if it is storable ($isStorable)',
    async ({ group, streamed, bytes, isStorable }) => {
      const type = streamed ? group.type : 'application/json'
      provider.respond((_request, reply) => reply.bytes(bytes, { headers: { 'content-type': type, 'x-request-id': 'req_1' } }))
      const { origin } = new URL(provider.url)
      const upstreams = { openai: `${origin}/v1`, anthropic: origin, bedrock: origin }
      const { url } = await listening({ upstreams, privateHosts: ['127.0.0.1'], server: { drain: 0.001 } })
      const ask = async () => {
        const response = await fetch(url + group.path(streamed), {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test' },
          body: JSON.stringify(group.body(streamed)),
        })
        const text = Buffer.from(await response.arrayBuffer()).toString('latin1')
        return { type: response.headers.get('content-type'), source: response.headers.get('x-llmemo-source'), text }
      }
      const sent = bytes.toString('latin1')
      expect(await ask()).toEqual({ type, source: 'origin', text: sent })
      const { source, ...second } = await ask()
      expect(source).toBe(isStorable ? 'memory' : 'origin')
      // An answer that is put together from its entry has no white space between values.
      const isCompact = isStorable && !streamed && ['bedrock-converse', 'openai-embeddings'].includes(group.name)
      expect(second).toEqual({ type, text: isCompact ? JSON.stringify(JSON.parse(sent)) : sent })
    },
  )
})
