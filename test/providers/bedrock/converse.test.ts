import type { JsonObject } from '../../../src/json/object.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromTagged, toTagged } from '../../../src/json/tagged.ts'
import { bedrockConverse } from '../../../src/providers/bedrock/converse.ts'
import type { ServerEvent } from '../../../src/base/server-sent-events.ts'
import { type Recording, recordings, recordingsFound } from '../../support/recordings.ts'
import { bodyOf, verdicts } from '../../support/verdicts.ts'

const streaming = bedrockConverse.streaming ?? expect.fail('Converse is streamed')

/** Events as ConverseStream gives them, each an object of one member. */
function eventsOf(...given: readonly JsonObject[]): ServerEvent[] {
  return given.flatMap((each) => Object.entries(each).map(([event, data]) => ({ event, data: JSON.stringify(data) })))
}

/** The recorded events. Each line is such an object. */
function named(recording: Recording): Recording {
  const { events } = recording
  return events === undefined ? recording : { ...recording, events: eventsOf(...events.map(({ data }) => bodyOf(JSON.parse(data)))) }
}

/** The answer that a caller makes of such a stream, by an accumulator that is not ours. */
function accumulate(events: readonly ServerEvent[]): JsonObject {
  const blocks: Record<string, { text?: string; thought?: string; signature?: string; tool?: JsonObject; json: string }> = {}
  let role: unknown = 'assistant'
  const rest: JsonObject = {}
  for (const { event, data } of events) {
    const body = JSON.parse(data)
    if (event === 'messageStart') role = body.role
    if (event === 'messageStop' || event === 'metadata') Object.assign(rest, body)
    if (event !== 'contentBlockStart' && event !== 'contentBlockDelta') continue
    const block = (blocks[body.contentBlockIndex] ??= { json: '' })
    if (body.start?.toolUse) block.tool = body.start.toolUse
    if (body.delta?.text) block.text = (block.text ?? '') + body.delta.text
    if (body.delta?.toolUse) block.json += body.delta.toolUse.input
    if (body.delta?.reasoningContent?.text) block.thought = (block.thought ?? '') + body.delta.reasoningContent.text
    if (body.delta?.reasoningContent?.signature) block.signature = body.delta.reasoningContent.signature
  }
  const content = Object.values(blocks).map(({ text, thought, signature, tool, json }) => {
    if (tool !== undefined) return { toolUse: { ...tool, input: JSON.parse(json || '{}') } }
    return thought === undefined ? { text } : { reasoningContent: { reasoningText: { text: thought, signature } } }
  })
  return { output: { message: { role, content } }, ...rest }
}

function start(index: number, begun: JsonObject): JsonObject {
  return { contentBlockStart: { contentBlockIndex: index, start: begun } }
}

function delta(index: number, piece: JsonObject): JsonObject {
  return { contentBlockDelta: { contentBlockIndex: index, delta: piece } }
}

function stop(index: number): JsonObject {
  return { contentBlockStop: { contentBlockIndex: index } }
}

const begun: JsonObject = { messageStart: { role: 'assistant' } }
const ended: JsonObject = { messageStop: { stopReason: 'end_turn' } }
const metadata: JsonObject = { metadata: { usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 }, metrics: { latencyMs: 4 } } }

/** The content of the answer that these events of blocks add up to. */
function content(...given: readonly JsonObject[]): unknown {
  const { output } = streaming.assemble(eventsOf(begun, ...given, ended, metadata)) ?? {}
  return output === undefined ? undefined : Object(output).message.content
}

function answer(blocks: unknown, stopReason: unknown = 'end_turn'): JsonObject {
  return { output: { message: { role: 'assistant', content: blocks } }, stopReason }
}

describe.skipIf(!recordingsFound)('recorded answers of Converse', () => {
  const recorded = recordings('bedrock-converse').map(named)
  const streams = recorded.filter(({ events }) => events)
  const complete = streams.filter(({ events = [] }) => events.some(({ event }) => event === 'metadata'))

  it('B11 S04 S06: each is stored, or not, for its reason', () => {
    expect(verdicts(bedrockConverse, recorded)).toEqual({
      // Whole answers with a text, with reasoning and a text, with tool calls. The model ended each of them.
      'amazon-bedrock-json-other-tool.1.json': 'storable',
      'amazon-bedrock-json-tool.1.json': 'storable',
      'amazon-bedrock-json-tool.3.json': 'storable',
      'amazon-bedrock-json-with-tool.1.json': 'storable',
      'amazon-bedrock-reasoning.json': 'storable',
      'amazon-bedrock-text.json': 'storable',
      'amazon-bedrock-tool-call.1.json': 'storable',
      'amazon-bedrock-tool-no-args.json': 'storable',
      // Complete to the last event, in the order of the service.
      'amazon-bedrock-reasoning.stream.jsonl': 'storable',
      'amazon-bedrock-text.stream.jsonl': 'storable',
      // It has no start of the message, and its metadata before its stop, but all parts of an answer.
      'amazon-bedrock-json-other-tool.1.stream.jsonl': 'storable',
      'amazon-bedrock-tool-call.1.stream.jsonl': 'storable',
      'amazon-bedrock-tool-no-args.stream.jsonl': 'storable',
      // It has its stop, but not the metadata that ends every stream.
      'amazon-bedrock-json-tool.1.stream.jsonl': 'incomplete stream',
      'amazon-bedrock-json-tool.3.stream.jsonl': 'incomplete stream',
      'amazon-bedrock-json-with-tool.1.stream.jsonl': 'incomplete stream',
    })
  })

  it.each(complete)('S09: assembles the stream $name as another accumulator does', ({ events = [] }) => {
    expect(streaming.assemble(events)).toEqual(accumulate(events))
  })

  it.each(['amazon-bedrock-json-other-tool.1', 'amazon-bedrock-tool-no-args'])(
    'S09: assembles the stream %s to the answer that was recorded whole',
    (name) => {
      const { whole = '', events = [] } = recorded.find((each) => each.name === name) ?? {}
      // The whole answers of these two were recorded without their metrics.
      expect(streaming.assemble(events)).toMatchObject(bodyOf(JSON.parse(whole)))
    },
  )

  it.each(recorded.filter(({ whole }) => whole))('S09: streams the whole answer $name so that it is read back', ({ whole = '' }) => {
    const given = bodyOf(JSON.parse(whole))
    const events = streaming.disassemble(given, { stream: true })
    expect(streaming.assemble(events)).toEqual(given)
    // These recordings mark a text with a member that the service does not have.
    expect(accumulate(events)).toEqual(bodyOf(JSON.parse(whole, (_, value: unknown) => withoutTextType(value))))
  })

  it.each(complete)('S04: no part of the stream $name is complete', ({ events = [] }) => {
    for (let end = 0; end < events.length; end += 1) expect(streaming.assemble(events.slice(0, end))).toBeUndefined()
  })

  it.each(complete)('S09: the stream $name and the one made of its answer have the same content', ({ events = [] }) => {
    const whole = bodyOf(streaming.assemble(events))
    expect(streaming.assemble(streaming.disassemble(whole, { stream: true }))).toEqual(whole)
  })
})

function withoutTextType(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== 'text') return value
  const { type: _, ...rest } = value
  return rest
}

describe('a stream of Converse is complete', () => {
  const text = [begun, delta(0, { text: 'Hi' }), stop(0)]

  it('with its stop and its metadata', () => {
    expect(streaming.assemble(eventsOf(...text, ended, metadata))).toEqual({
      output: { message: { role: 'assistant', content: [{ text: 'Hi' }] } },
      stopReason: 'end_turn',
      usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
      metrics: { latencyMs: 4 },
    })
  })

  it('and keeps all members of its last events', () => {
    const trace = { guardrail: { inputAssessment: {} } }
    const events = eventsOf(
      ...text,
      { messageStop: { stopReason: 'end_turn', additionalModelResponseFields: { delta: { stop_sequence: null } } } },
      { metadata: { usage: {}, metrics: {}, trace, performanceConfig: { latency: 'optimized' }, serviceTier: { type: 'flex' } } },
    )
    expect(streaming.assemble(events)).toMatchObject({
      additionalModelResponseFields: { delta: { stop_sequence: null } },
      trace,
      performanceConfig: { latency: 'optimized' },
      serviceTier: { type: 'flex' },
    })
  })

  const exceptions = [
    'internalServerException',
    'modelStreamErrorException',
    'throttlingException',
    'validationException',
    'serviceUnavailableException',
  ]

  it.each<[string, JsonObject[]]>([
    ['S04 without its stop', [...text, metadata]],
    ['S04 without its metadata', [...text, ended]],
    ['S04 with nothing', []],
    [
      'G35 with a delta of a kind that an older SDK does not know',
      [...text, { contentBlockDelta: { contentBlockIndex: 1, delta: {} } }, ended, metadata],
    ],
    [
      'G35 with reasoning of a kind that an older SDK does not know',
      [...text, { contentBlockDelta: { contentBlockIndex: 1, delta: { reasoningContent: {} } } }, ended, metadata],
    ],
    [
      'G35 with a part of an image that an older SDK does not know',
      [...text, { contentBlockDelta: { contentBlockIndex: 1, delta: { image: {} } } }, ended, metadata],
    ],
    ...exceptions.map((name): [string, JsonObject[]] => [`S03 after ${name}`, [...text, { [name]: { message: 'x' } }, ended, metadata]]),
    ['with an unknown event', [...text, { $$unknown: ['x', {}] }, ended, metadata]],
    ['with an unknown delta', [begun, delta(0, { $$unknown: ['x', {}] }), ended, metadata]],
    ['begun twice', [...text, begun, ended, metadata]],
    ['begun twice at once', [begun, begun, ended, metadata]],
    ['with two stops', [...text, ended, ended, metadata]],
    ['with metadata twice', [...text, ended, metadata, metadata]],
    ['with a block begun twice', [begun, start(0, {}), start(0, {}), ended, metadata]],
    ['with a block that goes on after its end', [...text, delta(0, { text: '!' }), ended, metadata]],
    ['with a text after its stop', [...text, ended, delta(1, { text: '!' }), metadata]],
    ['with a block without an index', [begun, { contentBlockDelta: { delta: { text: 'Hi' } } }, ended, metadata]],
    ['with an input without a tool', [begun, delta(0, { toolUse: { input: '{}' } }), ended, metadata]],
    ['G34 with half an input of a tool', [begun, start(0, { toolUse: {} }), delta(0, { toolUse: { input: '{"a":' } }), ended, metadata]],
    ['with a number in place of a text', [begun, delta(0, { text: 1 }), ended, metadata]],
    [
      'with reasoning both readable and not',
      [
        begun,
        delta(0, { reasoningContent: { text: 'a' } }),
        delta(0, { reasoningContent: { redactedContent: { $bytes: '' } } }),
        ended,
        metadata,
      ],
    ],
  ])('not %s', (_, events) => {
    expect(streaming.assemble(eventsOf(...events))).toBeUndefined()
  })

  it('not with damaged data', () => {
    expect(streaming.assemble([...eventsOf(...text), { event: 'messageStop', data: '{"stop' }, ...eventsOf(metadata)])).toBeUndefined()
    expect(streaming.assemble([...eventsOf(...text, ended), { event: 'metadata', data: '[]' }])).toBeUndefined()
  })
})

describe('assembling a stream of Converse', () => {
  it('joins texts, by index', () => {
    expect(content(delta(1, { text: 'b' }), delta(0, { text: 'a' }), stop(0), delta(1, { text: 'c' }), stop(1))).toEqual([
      { text: 'a' },
      { text: 'bc' },
    ])
  })

  it('leaves out an empty block', () => {
    expect(content(start(0, {}), stop(0), delta(1, { text: '' }), stop(2))).toEqual([{ text: '' }])
  })

  it('reads the input of a tool, whose own names cannot look like a tag', () => {
    const tool = { toolUse: { toolUseId: 't', name: 'n', type: 'server_tool_use' } }
    expect(
      content(start(0, tool), delta(0, { toolUse: { input: '{"$bytes":' } }), delta(0, { toolUse: { input: '"AA==","n":1.50}' } })),
    ).toEqual([{ toolUse: { ...tool.toolUse, input: { $$bytes: 'AA==', n: 1.5 } } }])
    expect(content(start(0, tool))).toEqual([{ toolUse: { ...tool.toolUse, input: {} } }])
    expect(content(start(0, tool), delta(0, { toolUse: { input: '' } }))).toEqual([{ toolUse: { ...tool.toolUse, input: {} } }])
  })

  // A whole answer of the SDK has these as bigints and decimals. JSON.parse would round them.
  it.each(['12345678901234567890', '{"a":[-9007199254740993]}', '3.14159265358979323846', '1e400', '{"id":1234567890123456789}'])(
    'does not round the number in the input %s',
    (input) => {
      expect(content(start(0, { toolUse: {} }), delta(0, { toolUse: { input } }))).toBeUndefined()
    },
  )

  it.each([
    '9007199254740991',
    '{"a":"12345678901234567890"}',
    '0.1',
    '-1.50',
    '3.3333333333333335',
    '1e3',
    '"\\"12345678901234567890"',
    '[0.000001]',
  ])('takes the input %s, whose numbers are exact', (input) => {
    expect(content(start(0, { toolUse: {} }), delta(0, { toolUse: { input } }))).toEqual([{ toolUse: { input: JSON.parse(input) } }])
  })

  it('does not fail on an input that is nested too deeply to be stored', () => {
    const input = '['.repeat(1_000) + ']'.repeat(1_000)
    expect(content(start(0, { toolUse: {} }), delta(0, { toolUse: { input } }))).toBeUndefined()
  })

  it('joins the bytes of reasoning that cannot be read', () => {
    const pieces = [Uint8Array.of(1), Uint8Array.of(2, 3), Uint8Array.of(4, 5, 6, 7)]
    const deltas = pieces.map((redactedContent) => delta(0, { reasoningContent: { redactedContent: toTagged(redactedContent) } }))
    expect(fromTagged(content(...deltas))).toEqual([{ reasoningContent: { redactedContent: Uint8Array.of(1, 2, 3, 4, 5, 6, 7) } }])
  })

  it('gathers a text with its citations, the results of a tool, and an image', () => {
    const citation = { title: 'T', sourceContent: [{ text: 's' }], location: { documentChar: { documentIndex: 0, start: 1, end: 2 } } }
    expect(
      content(
        delta(0, { text: 'It ' }),
        delta(0, { text: 'is.' }),
        delta(0, { citation }),
        delta(0, { citation: { source: 'u' } }),
        start(1, { toolResult: { toolUseId: 't', status: 'success' } }),
        delta(1, { toolResult: [{ json: { a: 1 } }, { text: 'x' }] }),
        delta(1, { toolResult: [{ text: 'y' }, { text: 'z' }] }),
        start(2, { image: { format: 'png' } }),
        delta(2, { image: { source: { bytes: { $bytes: 'AQ==' } } } }),
        delta(2, { image: { source: { bytes: { $bytes: 'AgM=' } } } }),
        start(3, { image: { format: 'png' } }),
        delta(3, { image: { error: { message: 'e' } } }),
      ),
    ).toEqual([
      { citationsContent: { content: [{ text: 'It is.' }], citations: [citation, { source: 'u' }] } },
      { toolResult: { toolUseId: 't', status: 'success', content: [{ json: { a: 1 } }, { text: 'xy' }, { text: 'z' }] } },
      { image: { format: 'png', source: { bytes: { $bytes: 'AQID' } } } },
      { image: { format: 'png', error: { message: 'e' } } },
    ])
  })

  it('lets no member reach a prototype', () => {
    const poison = '"__proto__":{"poisoned":1}'
    const events = [
      { event: 'messageStart', data: `{${poison},"role":"assistant"}` },
      { event: 'contentBlockStart', data: `{"contentBlockIndex":0,"start":{${poison},"toolUse":{${poison},"name":"n"}}}` },
      { event: 'contentBlockDelta', data: '{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\\"__proto__\\":{\\"poisoned\\":1}}"}}}' },
      ...eventsOf(ended),
      { event: 'metadata', data: `{${poison}}` },
    ]
    const assembled = streaming.assemble(events)
    expect(assembled).toHaveProperty('output.message.content.0.toolUse.name', 'n')
    expect(Reflect.get({}, 'poisoned')).toBeUndefined()
    expect(Reflect.get(Object(assembled), 'poisoned')).toBeUndefined()
  })
})

describe('streaming a whole answer of Converse', () => {
  const text = fc.string({ minLength: 1 })
  const any = fc.string()
  const bytes = fc.uint8Array({ maxLength: 8 })
  const json = fc
    .jsonValue({ maxDepth: 2 })
    // An input holds what JSON can write and JavaScript can read again.
    .map((value): unknown => JSON.parse(JSON.stringify(value)))
    .filter((value) => !/\d{16}|e[+-]?\d/.test(JSON.stringify(value)))
  const result = fc.oneof(fc.record({ text: any }), fc.record({ json }))
  const citation = fc.record({ title: any, source: any, sourceContent: fc.array(fc.record({ text: any })) }, { requiredKeys: [] })
  const block = fc.oneof(
    fc.record({ text: any }),
    fc.record({
      toolUse: fc.record(
        { toolUseId: text, name: text, input: json, type: fc.constant('server_tool_use') },
        { requiredKeys: ['toolUseId', 'name', 'input'] },
      ),
    }),
    fc.record({ toolResult: fc.record({ toolUseId: text, content: fc.array(result), status: fc.constantFrom('success', 'error') }) }),
    fc.record({
      reasoningContent: fc.oneof(
        fc.record({ reasoningText: fc.record({ text: any, signature: any }, { requiredKeys: ['text'] }) }),
        fc.record({ redactedContent: bytes }),
      ),
    }),
    fc.record({
      citationsContent: fc.record({ content: fc.tuple(fc.record({ text: any })), citations: fc.array(citation, { minLength: 1 }) }),
    }),
    fc.record({
      image: fc.record(
        {
          format: fc.constant('png'),
          source: fc.oneof(fc.record({ bytes }), fc.record({ s3Location: fc.record({ uri: text }) })),
          error: fc.record({ message: any }),
        },
        { requiredKeys: ['format'] },
      ),
    }),
    // Members without a delta of their own, and members that a newer service may send.
    fc.record({ audio: fc.record({ format: fc.constant('mp3'), source: fc.record({ bytes }) }) }),
    fc.record({ toolResult: fc.record({ toolUseId: text, content: fc.tuple(fc.record({ video: fc.record({ format: text }) })) }) }),
    fc.record({ $unknown: fc.tuple(text, json) }),
  )
  const whole = fc.record(
    {
      output: fc.record({ message: fc.record({ role: fc.constant('assistant'), content: fc.array(block, { maxLength: 4 }) }) }),
      stopReason: fc.constantFrom('end_turn', 'tool_use', 'max_tokens'),
      usage: fc.record({ inputTokens: fc.nat(), outputTokens: fc.nat(), totalTokens: fc.nat() }),
      metrics: fc.record({ latencyMs: fc.nat() }),
      additionalModelResponseFields: fc.dictionary(text, json, { minKeys: 1 }),
      trace: fc.record({ guardrail: fc.record({ actionReason: any }) }),
      performanceConfig: fc.record({ latency: fc.constant('optimized') }),
      serviceTier: fc.record({ type: fc.constant('flex') }),
    },
    { requiredKeys: ['output', 'stopReason', 'usage', 'metrics'] },
  )

  it('S09: is undone by assembling it', () => {
    fc.assert(
      fc.property(whole, (generated) => {
        const tagged = bodyOf(toTagged(generated))
        expect(streaming.assemble(streaming.disassemble(tagged, { stream: true }))).toEqual(tagged)
      }),
      { numRuns: 300 },
    )
  })

  it('sends the events of the service: a start only for blocks that have one, and metadata last', () => {
    const given = {
      ...answer([{ text: 'Hi' }, { toolUse: { toolUseId: 't', name: 'n', input: { $$a: 1 } } }], 'tool_use'),
      usage: { inputTokens: 1 },
      metrics: { latencyMs: 2 },
    }
    expect(streaming.disassemble(given, {})).toEqual(
      eventsOf(
        begun,
        { contentBlockDelta: { delta: { text: 'Hi' }, contentBlockIndex: 0 } },
        stop(0),
        { contentBlockStart: { start: { toolUse: { toolUseId: 't', name: 'n' } }, contentBlockIndex: 1 } },
        { contentBlockDelta: { delta: { toolUse: { input: '{"$a":1}' } }, contentBlockIndex: 1 } },
        stop(1),
        { messageStop: { stopReason: 'tool_use' } },
        { metadata: { usage: { inputTokens: 1 }, metrics: { latencyMs: 2 } } },
      ),
    )
  })
})

describe('B11: an answer of Converse', () => {
  const text = [{ text: 'x' }]

  it.each<[string | undefined, unknown, unknown]>([
    [undefined, text, 'end_turn'],
    [undefined, text, 'stop_sequence'],
    [undefined, [{ toolUse: { toolUseId: 't', name: 'n', input: {} } }], 'tool_use'],
    [undefined, [{ reasoningContent: {} }, ...text], 'end_turn'],
    [undefined, [{ citationsContent: { content: text, citations: [] } }], 'end_turn'],
    [undefined, [{ image: { format: 'png', source: { bytes: { $bytes: 'AA==' } } } }], 'end_turn'],
    [undefined, [{ $$unknown: ['x', {}] }], 'end_turn'],
    ['length', text, 'max_tokens'],
    ['length', text, 'model_context_window_exceeded'],
    ['content_filter', text, 'guardrail_intervened'],
    ['content_filter', text, 'content_filtered'],
    ['malformed_model_output', text, 'malformed_model_output'],
    ['malformed_tool_use', text, 'malformed_tool_use'],
    ['stop_reason', text, 'a_newer_reason'],
    ['stop_reason', text, null],
    ['empty', [], 'end_turn'],
    ['empty', [{ text: '' }], 'end_turn'],
    ['empty', [{ reasoningContent: { reasoningText: { text: 'x' } } }], 'end_turn'],
    ['empty', [{ citationsContent: { content: [], citations: [{}] } }], 'end_turn'],
    ['error', [...text, { image: { format: 'png', error: { message: 'x' } } }], 'end_turn'],
    ['malformed', undefined, 'end_turn'],
    ['malformed', 'x', 'end_turn'],
  ])('S06 is judged %s: %j %s', (verdict, blocks, reason) => {
    expect(bedrockConverse.skipReason({ ...answer(blocks), stopReason: reason })).toBe(verdict)
  })

  it('without a message is not stored', () => {
    for (const none of [{}, { message: 'x' }, { output: {}, stopReason: 'end_turn' }, { output: 'x' }]) {
      expect(bedrockConverse.skipReason(none)).toBe('malformed')
    }
  })
})

describe('a request of Converse', () => {
  const point = { cachePoint: { type: 'default', ttl: '1h' } }

  it('is the same with cache points and without, and never changed', () => {
    const request = {
      model: 'm',
      system: [{ text: 's' }, point],
      messages: [
        { role: 'user', content: [{ text: 'u' }, point] },
        { role: 'assistant', content: [{ text: 'a' }] },
      ],
      toolConfig: { tools: [{ toolSpec: { name: 'n' } }, point], toolChoice: { auto: {} } },
    }
    const before = structuredClone(request)
    expect(bedrockConverse.normalise?.(request)).toEqual({
      model: 'm',
      system: [{ text: 's' }],
      messages: [
        { role: 'user', content: [{ text: 'u' }] },
        { role: 'assistant', content: [{ text: 'a' }] },
      ],
      toolConfig: { tools: [{ toolSpec: { name: 'n' } }], toolChoice: { auto: {} } },
    })
    expect(request).toEqual(before)
  })

  it.each<[string, JsonObject]>([
    [
      'nothing to leave out',
      { messages: [{ role: 'user', content: [{ text: 'u' }] }], system: [{ text: 's' }], toolConfig: { tools: [] } },
    ],
    ["a tool's input that looks like a cache point", { messages: [{ content: [{ toolUse: { input: point } }] }] }],
    ['values of the wrong types', { messages: 'x', system: null, toolConfig: [] }],
    ['paths into a whole answer', { additionalModelResponseFieldPaths: ['/stop_sequence'] }],
    ['a stream without paths', { stream: true, additionalModelResponseFieldPaths: [] }],
  ])('stays the same object with %s', (_, request) => {
    expect(bedrockConverse.normalise?.(request)).toBe(request)
  })

  it('for members of the model\'s own answer differs if it streams, as the paths do: "/delta/stop_sequence" exists in a stream only', () => {
    const paths = { additionalModelResponseFieldPaths: ['/delta/stop_sequence'] }
    expect(bedrockConverse.normalise?.({ ...paths, stream: true })).not.toMatchObject(paths)
  })

  it('is keyed by the members that may change its answer, and by no others', () => {
    expect(bedrockConverse.ignored).toEqual(['stream', 'requestMetadata', 'serviceTier'])
    for (const kept of ['performanceConfig', 'guardrailConfig', 'additionalModelRequestFields', 'promptVariables']) {
      expect(bedrockConverse.ignored).not.toContain(kept)
    }
    expect(bedrockConverse.bypassReason({ model: 'arn:aws:bedrock:us-east-1:1:prompt/P:1' })).toBeUndefined()
  })
})

describe("an answer of Converse's usage", () => {
  it.each<[string, JsonObject, JsonObject]>([
    ['input and output', { inputTokens: 10, outputTokens: 5, totalTokens: 15 }, { input: 10, output: 5 }],
    [
      // "total input tokens = inputTokens + cacheReadInputTokens + cacheWriteInputTokens", says the user guide on prompt caching.
      'all of the input, cached or not',
      { inputTokens: 10, outputTokens: 5, totalTokens: 1115, cacheReadInputTokens: 1000, cacheWriteInputTokens: 100 },
      { input: 1110, output: 5, cacheRead: 1000, cacheWrite: 100 },
    ],
    [
      'what was written for an hour',
      {
        inputTokens: 1,
        outputTokens: 2,
        cacheReadInputTokens: 0,
        cacheWriteInputTokens: 100,
        cacheDetails: [
          { ttl: '1h', inputTokens: 70 },
          { ttl: '5m', inputTokens: 30 },
        ],
      },
      { input: 101, output: 2, cacheRead: 0, cacheWrite: 30, cacheWriteHour: 70 },
    ],
    [
      "the counts by Nova's own names",
      { inputTokens: 1, outputTokens: 2, cacheReadInputTokenCount: 3, cacheWriteInputTokenCount: 4 },
      { input: 8, output: 2, cacheRead: 3, cacheWrite: 4 },
    ],
  ])('has %s', (_, usage, counted) => {
    expect(bedrockConverse.usage({ usage })).toEqual(counted)
  })

  it('is unknown if the answer has none', () => {
    expect(bedrockConverse.usage({})).toBeUndefined()
    expect(bedrockConverse.usage({ usage: null })).toBeUndefined()
  })
})
