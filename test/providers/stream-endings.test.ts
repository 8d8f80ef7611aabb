import { describe, expect, it } from 'vitest'
import { incompleteReason, streamEntry } from '../../src/engine/draft.ts'
import { anthropicMessages } from '../../src/providers/anthropic/messages.ts'
import { bedrockConverse } from '../../src/providers/bedrock/converse.ts'
import { bedrockInvoke } from '../../src/providers/bedrock/invoke.ts'
import { bedrockInvokeMessages } from '../../src/providers/bedrock/invoke-messages.ts'
import type { Endpoint } from '../../src/providers/endpoint.ts'
import { openaiChat } from '../../src/providers/openai/chat.ts'
import { openaiCompletions } from '../../src/providers/openai/completions.ts'
import { openaiResponses } from '../../src/providers/openai/responses.ts'
import type { ServerEvent } from '../../src/base/server-sent-events.ts'

/** One protocol: its events up to its end, what ends it, and what is wrong in the middle of it. */
interface Protocol {
  readonly endpoint: Endpoint
  /** An answer that calls a tool, whose input is this text; or is a text. */
  readonly said: (input: string) => readonly ServerEvent[]
  readonly end: readonly ServerEvent[]
  readonly error: ServerEvent
  /** What its events cannot hold. */
  readonly damage: ServerEvent
  /** Whether the model writes the input of a tool as JSON text. @default true */
  readonly calls?: false
}

const data = (value: object): ServerEvent => ({ data: JSON.stringify(value) })
const typed = (value: { readonly type: string; readonly [name: string]: unknown }): ServerEvent => ({ event: value.type, ...data(value) })
const named = (value: object): ServerEvent[] => Object.entries(value).map(([event, member]) => ({ event, data: JSON.stringify(member) }))

const message = { type: 'message', role: 'assistant', model: 'm', content: [], usage: { input_tokens: 1, output_tokens: 1 } }
const messageSaid = (input: string) => [
  { type: 'message_start', message },
  { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 't', name: 'f', input: {} } },
  { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: input } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 9 } },
]
const metrics = { inputTokenCount: 1, outputTokenCount: 9 }
const chunk = (value: object): ServerEvent => ({ event: 'chunk', ...data(value) })
const choice = (delta: object, finish: string | null = null) => data({ choices: [{ index: 0, delta, finish_reason: finish }] })
const call = (input: string) => ({ type: 'function_call', name: 'f', call_id: 'c', arguments: input })
const done = { data: '[DONE]' }

const protocols: readonly (readonly [string, Protocol])[] = [
  [
    'Anthropic',
    {
      endpoint: anthropicMessages,
      said: (input) => messageSaid(input).map(typed),
      end: [typed({ type: 'message_stop' })],
      error: typed({ type: 'error', error: { type: 'overloaded_error' } }),
      damage: typed({ type: 'message_start', message }),
    },
  ],
  [
    'Anthropic by InvokeModel',
    {
      endpoint: bedrockInvokeMessages,
      said: (input) => messageSaid(input).map(chunk),
      end: [chunk({ type: 'message_stop', 'amazon-bedrock-invocationMetrics': metrics })],
      error: { event: 'modelStreamErrorException', data: '{}' },
      damage: chunk({ type: 'message_start', message }),
    },
  ],
  [
    'Converse',
    {
      endpoint: bedrockConverse,
      said: (input) => [
        ...named({ messageStart: { role: 'assistant' } }),
        ...named({ contentBlockStart: { contentBlockIndex: 0, start: { toolUse: { toolUseId: 't', name: 'f' } } } }),
        ...named({ contentBlockDelta: { contentBlockIndex: 0, delta: { toolUse: { input } } } }),
        ...named({ contentBlockStop: { contentBlockIndex: 0 } }),
      ],
      end: named({ messageStop: { stopReason: 'tool_use' }, metadata: { usage: { inputTokens: 1, outputTokens: 9 } } }),
      error: { event: 'throttlingException', data: '{}' },
      damage: { event: 'messageStart', data: '{"role":"assistant"}' },
    },
  ],
  [
    'chat completions',
    {
      endpoint: openaiChat,
      said: (input) => [choice({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: input } }] }, 'tool_calls')],
      end: [done],
      error: data({ error: { message: 'no' } }),
      damage: { data: '{"choices":' },
    },
  ],
  [
    'responses',
    {
      endpoint: openaiResponses,
      said: (input) => [
        typed({ type: 'response.created', response: { id: 'r', status: 'in_progress', output: [] } }),
        data({ type: 'response.output_item.done', output_index: 0, item: call(input) }),
      ],
      end: [typed({ type: 'response.completed', response: { id: 'r', status: 'completed', output: [] } })],
      error: typed({ type: 'error', message: 'no' }),
      damage: typed({ type: 'response.created', response: { id: 'other', status: 'in_progress', output: [] } }),
    },
  ],
  [
    'legacy completions',
    {
      endpoint: openaiCompletions,
      said: (text) => [data({ choices: [{ index: 0, text, finish_reason: 'stop' }] })],
      end: [done],
      error: data({ error: { message: 'no' } }),
      damage: { data: '{"choices":' },
      calls: false,
    },
  ],
  [
    'another family by InvokeModel',
    {
      endpoint: bedrockInvoke,
      said: (generation) => [chunk({ generation, stop_reason: 'stop' })],
      end: [chunk({ generation: '', stop_reason: 'stop', 'amazon-bedrock-invocationMetrics': metrics })],
      error: { event: 'internalServerException', data: '{}' },
      damage: { event: 'chunk', data: '' },
      calls: false,
    },
  ],
]

/** Why a stream is not stored that a caller read to the end of the connection; `undefined` if it is. */
function reasonOf({ endpoint }: Protocol, events: readonly ServerEvent[]): string | undefined {
  const entry = streamEntry({ endpoint, model: 'm', missingParts: [] }, events, { body: '', headers: {}, latency: 0 })
  if (typeof entry === 'object') return entry.reason
  return entry ?? incompleteReason('complete')
}

describe('why a stream is not stored', () => {
  it.each(protocols)('G42 G34 is one rule for all protocols: %s', (_, protocol) => {
    const { said, end, error, damage, calls } = protocol
    const whole = [...said('{"a":1}'), ...end]
    const reasons = {
      whole: reasonOf(protocol, whole),
      withoutItsEnd: reasonOf(protocol, said('{"a":1}')),
      withoutItsBeginning: reasonOf(protocol, []),
      withAnError: reasonOf(protocol, [...said('{"a":1}'), error, ...end]),
      damaged: reasonOf(protocol, [...said('{"a":1}'), damage, ...end]),
      ...(calls === false ? {} : { withHalfAnInput: reasonOf(protocol, [...said('{"a":'), ...end]) }),
    }
    expect(reasons).toEqual({
      whole: undefined,
      withoutItsEnd: 'incomplete',
      withoutItsBeginning: 'incomplete',
      withAnError: 'error',
      damaged: 'malformed',
      ...(calls === false ? {} : { withHalfAnInput: 'malformed' }),
    })
  })
})
