import { isJsonObject, parseJsonObject, type JsonObject } from '../../../src/json/object.ts'
import { ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { createCache } from '../../../src/cache/cache.ts'
import { bedrockConverse } from '../../../src/providers/bedrock/converse.ts'
import type { ServerEvent } from '../../../src/base/server-sent-events.ts'
import { startBedrock } from '../../support/bedrock-server.ts'
import type { ProviderServer } from '../../support/provider-server.ts'
import { verdicts } from '../../support/verdicts.ts'
import { type Recording, recordings, recordingsFound } from '../../support/recordings.ts'
import { at, eventOf, eventsOf, headers, makeBedrock, outcomeOfSend, send } from '../../support/bedrock-sdk.ts'

/** One recorded answer, and the request for it. */
interface Case {
  readonly file: string
  readonly recording: Recording
  readonly streamed: boolean
  /** `storable`, or why it is not. */
  readonly verdict: string
}

const input = { modelId: 'anthropic.claude-test', messages: [{ role: 'user' as const, content: [{ text: 'Hi' }] }] }

function commandFor(streamed: boolean): object {
  return streamed ? new ConverseStreamCommand(input) : new ConverseCommand(input)
}

/** A recorded event under its name, which the wire has in a header. */
function named({ data }: ServerEvent): ServerEvent {
  const [[name, value] = ['', {}]] = Object.entries(parseJsonObject(data) ?? {})
  return eventOf(name, Object(value))
}

function casesOf(): Case[] {
  const recorded = recordings('bedrock-converse').map((each) =>
    each.events === undefined ? each : Object.assign({}, each, { events: each.events.map(named) }),
  )
  const verdict = verdicts(bedrockConverse, recorded)
  return recorded.flatMap((recording) =>
    [false, true]
      .filter((streamed) => (streamed ? recording.events : recording.whole) !== undefined)
      .map((streamed) => {
        const file = `${recording.name}${streamed ? '.stream.jsonl' : '.json'}`
        return { file, recording, streamed, verdict: verdict[file] ?? 'unknown' }
      }),
  )
}

function serve(server: ProviderServer, { whole, events }: Recording): void {
  server.respond(({ path }, reply) => {
    if (path.endsWith('-stream') && events !== undefined) return reply.events(events, { headers })
    if (whole === undefined) throw new TypeError('there is no such recording')
    return reply.text(whole, { headers: { ...headers, 'content-type': 'application/json' } })
  })
}

describe.skipIf(!recordingsFound)('recorded answers of Bedrock over a socket', () => {
  const cases = casesOf()

  it('are there, and those without the end of their stream are not storable', () => {
    expect(cases).toHaveLength(16)
    expect(cases.filter(({ verdict }) => verdict !== 'storable').map(({ file, verdict }) => [file, verdict])).toEqual([
      ['amazon-bedrock-json-tool.1.stream.jsonl', 'incomplete stream'],
      ['amazon-bedrock-json-tool.3.stream.jsonl', 'incomplete stream'],
      ['amazon-bedrock-json-with-tool.1.stream.jsonl', 'incomplete stream'],
    ])
  })

  describe.each(['http1', 'h2'] as const)('%s', (protocol) => {
    let server: ProviderServer
    beforeEach(async () => {
      server = await startBedrock(protocol)
    })
    afterEach(() => server.close())

    it.each(cases)(
      'I1 S09: $file reaches the caller as from the bare client, and from the cache if it is storable ($verdict)',
      async (each) => {
        const { recording, streamed, verdict } = each
        serve(server, recording)
        const bare = makeBedrock(protocol, { url: server.url })
        const cache = createCache({ logger: false })
        const wrapped = withCache(bare, cache)
        const expected = await outcomeOfSend(bare, commandFor(streamed))
        expect(expected.error).toBeUndefined()
        expect(await outcomeOfSend(wrapped, commandFor(streamed))).toStrictEqual(expected)
        expect(server.requests[1]).toEqual(server.requests[0])
        expect(await outcomeOfSend(wrapped, commandFor(streamed))).toStrictEqual(expected)
        const storable = verdict === 'storable'
        expect(server.requests).toHaveLength(storable ? 2 : 3)
        expect(cache.stats()).toMatchObject({ hits: storable ? 1 : 0, misses: storable ? 1 : 2, errors: 0 })
        expect(cache.stats().skipped).toEqual(storable ? {} : { incomplete: 2 })
      },
    )

    it.each(cases.filter(({ verdict }) => verdict === 'storable'))(
      'K08: $file is served in the other mode with the same content',
      async ({ recording, streamed }) => {
        serve(server, recording)
        const wrapped = withCache(makeBedrock(protocol, { url: server.url }), createCache({ logger: false }))
        const first = await send(wrapped, commandFor(streamed))
        const expected = await wholeOf(first, streamed)
        const other = await send(wrapped, commandFor(!streamed))
        expect(cacheInfo(other)).toMatchObject({ hit: true, source: 'memory' })
        expect(await wholeOf(other, !streamed)).toEqual(expected)
        expect(server.requests).toHaveLength(1)
      },
    )
  })
})

/** An output as the JSON of a whole answer. */
async function wholeOf(output: JsonObject, isStream: boolean): Promise<unknown> {
  return isStream ? accumulated(await eventsOf(output)) : plain(output)
}

/** An output as the JSON that was sent. */
function plain(output: JsonObject): unknown {
  return JSON.parse(JSON.stringify({ ...output, $metadata: undefined }))
}

/** The answer that a reader assembles from the stream as the service documents it. */
function accumulated(events: readonly unknown[]): unknown {
  const blocks: { text?: string; tool?: JsonObject; input?: string; reasoning?: { text?: string; signature?: string } }[] = []
  const rest: JsonObject = {}
  for (const event of events) {
    const index = at(event, 'contentBlockDelta', 'contentBlockIndex') ?? at(event, 'contentBlockStart', 'contentBlockIndex')
    const tool = at(event, 'contentBlockStart', 'start', 'toolUse')
    const delta = at(event, 'contentBlockDelta', 'delta')
    if (typeof index === 'number') {
      const block = (blocks[index] ??= {})
      if (isJsonObject(tool)) block.tool = tool
      const { text, toolUse, reasoningContent }: JsonObject = isJsonObject(delta) ? delta : {}
      if (typeof text === 'string') block.text = (block.text ?? '') + text
      if (isJsonObject(toolUse)) block.input = (block.input ?? '') + String(toolUse['input'])
      if (isJsonObject(reasoningContent)) {
        const { text: thought, signature } = reasoningContent
        block.reasoning = {
          ...block.reasoning,
          ...(typeof thought === 'string' && { text: (block.reasoning?.text ?? '') + thought }),
          ...(typeof signature === 'string' && { signature }),
        }
      }
    }
    Object.assign(rest, at(event, 'messageStop'), at(event, 'metadata'))
  }
  const content = blocks.map(({ text, tool, input: given, reasoning }) => {
    if (reasoning !== undefined) return { reasoningContent: { reasoningText: reasoning } }
    if (tool === undefined) return { text }
    const parsed: unknown = JSON.parse(given === undefined || given === '' ? '{}' : given)
    return { toolUse: { ...tool, input: parsed } }
  })
  return plain({ ...rest, output: { message: { role: 'assistant', content } } })
}
