/**
 * Questions and answers of a given size, the same in every run.
 * @module
 */

/** The sizes that everything is measured at, in bytes. */
export const sizes = [500, 2_000, 8_000, 20_000, 200_000] as const

/** A size for a heading: `0.5 KB`. */
export function sizeName(size: number): string {
  return `${size / 1_000} KB`
}

/** One message of a chat. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** A question in the words of OpenAI's chat completions. */
export interface Question {
  readonly model: string
  readonly temperature: number
  readonly messages: readonly Message[]
}

const vocabulary = (
  'the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you were her all ' +
  'she there would their we him been has when who will more no if out so said what up its about into than them can only other new some ' +
  'could time these two may then do first any my now such like our over man me even most made after also did many before must through ' +
  'years where much your way well down should because each just those people mister how too little state good very make world still own ' +
  'see men work long get here between both life being under never day same another know while last might us great old year off come since ' +
  'against go came right used take three question answer cache model token prompt context summary document paragraph system tenant budget'
).split(' ')

/** A source of numbers from 0 to 1 that is the same in every run (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** English-like prose of just `length` characters, which deflates about as well as English does. */
export function prose(length: number, seed: number): string {
  const next = random(seed)
  const words: string[] = []
  for (let written = 0; written < length;) {
    // Frequent words come first in the list, as they do in a language.
    const word = vocabulary[Math.floor(next() ** 2 * vocabulary.length)] ?? ''
    const drawn = next() < 0.1 ? `${word}. ` : next() < 0.05 ? `${word}\n` : next() < 0.08 ? `"${word}" ` : `${word} `
    words.push(drawn)
    written += drawn.length
  }
  // Joined and cut, the text is flat in memory, as one that came out of a file or a socket.
  return Buffer.from(words.join('').slice(0, Math.max(0, length))).toString()
}

/** A question whose JSON has about `size` bytes: rules, a document, an earlier answer, and what is asked. */
export function question(size: number, seed = 1): Question {
  const frame = { model: 'gpt-4.1-mini', temperature: 0.2, messages: messages(0, seed) }
  return { ...frame, messages: messages(size - JSON.stringify(frame).length, seed) }
}

function messages(characters: number, seed: number): Message[] {
  // Escapes in the JSON take about one character in a hundred.
  const room = Math.max(0, characters * 0.98)
  const part = (share: number, more: number): string => prose(Math.floor(room * share), seed * 7 + more)
  return [
    { role: 'system', content: part(0.25, 1) },
    { role: 'user', content: part(0.6, 2) },
    { role: 'assistant', content: part(0.1, 3) },
    { role: 'user', content: `${seed}: ${part(0.05, 4)}` },
  ]
}

/** The question once more, in objects of its own, as a program makes them for each call. The texts are shared. */
export function asked(one: Question) {
  return { model: one.model, temperature: one.temperature, messages: one.messages.map(({ role, content }) => ({ role, content })) }
}

/** A complete answer of OpenAI's chat completions, whose JSON has about `size` bytes. */
export function chatAnswer(size: number, seed = 1) {
  const frame = chatFrame('')
  return chatFrame(prose(Math.floor((size - JSON.stringify(frame).length) * 0.98), seed + 1_000))
}

function chatFrame(content: string) {
  const words = Math.round(content.length / 4)
  return {
    id: 'chatcmpl-CkQ1p4Jr0mPZs2bX',
    object: 'chat.completion',
    created: 1_763_600_000,
    model: 'gpt-4.1-mini-2025-04-14',
    choices: [{ index: 0, message: { role: 'assistant', content, refusal: null, annotations: [] }, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 300, completion_tokens: words, total_tokens: 300 + words, prompt_tokens_details: { cached_tokens: 0 } },
    service_tier: 'default',
  }
}

/** A complete answer of Anthropic's messages, whose JSON has about `size` bytes. */
export function messageAnswer(size: number, seed = 1) {
  const frame = messageFrame('')
  return messageFrame(prose(Math.floor((size - JSON.stringify(frame).length) * 0.98), seed + 1_000))
}

function messageFrame(text: string) {
  return {
    id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
    type: 'message',
    role: 'assistant',
    model: 'claude-haiku-4-5-20251001',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 300, output_tokens: Math.round(text.length / 4), cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
  }
}

/** A complete answer of Bedrock's Converse, whose JSON has about `size` bytes. */
export function converseAnswer(size: number, seed = 1) {
  const frame = converseFrame('')
  return converseFrame(prose(Math.floor((size - JSON.stringify(frame).length) * 0.98), seed + 1_000))
}

function converseFrame(text: string) {
  const words = Math.round(text.length / 4)
  return {
    output: { message: { role: 'assistant', content: [{ text }] } },
    stopReason: 'end_turn',
    usage: { inputTokens: 300, outputTokens: words, totalTokens: 300 + words },
    metrics: { latencyMs: 900 },
  }
}

/** Characters of text in one event of a stream: some four words. */
const deltaLength = 24

/** A streamed answer of OpenAI's chat completions: the server-sent events of a text of `length` characters. */
export function chatEvents(length: number, seed = 1): string {
  const common = {
    id: 'chatcmpl-CkQ1p4Jr0mPZs2bX',
    object: 'chat.completion.chunk',
    created: 1_763_600_000,
    model: 'gpt-4.1-mini-2025-04-14',
  }
  const chunk = (delta: object, finish: string | null): object => ({
    ...common,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    usage: null,
  })
  const usage = { prompt_tokens: 300, completion_tokens: Math.round(length / 4), total_tokens: 300 + Math.round(length / 4) }
  const chunks = [
    chunk({ role: 'assistant', content: '', refusal: null }, null),
    ...deltas(length, seed).map((content) => chunk({ content }, null)),
    chunk({}, 'stop'),
    { ...common, choices: [], usage },
  ]
  return `${chunks.map((each) => `data: ${JSON.stringify(each)}\n\n`).join('')}data: [DONE]\n\n`
}

/** A streamed answer of Anthropic's messages: the server-sent events of a text of `length` characters. */
export function messageEvents(length: number, seed = 1): string {
  const { usage, ...started } = messageFrame('')
  const events = [
    { type: 'message_start', message: { ...started, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ...deltas(length, seed).map((text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: Math.round(length / 4) } },
    { type: 'message_stop' },
  ]
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
}

/** One event of Bedrock's ConverseStream: its name and its JSON. */
export interface BedrockEvent {
  readonly event: string
  readonly data: object
}

/** A streamed answer of Bedrock's Converse: the events of a text of `length` characters. */
export function converseEvents(length: number, seed = 1): BedrockEvent[] {
  const { stopReason, usage, metrics } = converseFrame('')
  return [
    { event: 'messageStart', data: { role: 'assistant' } },
    ...deltas(length, seed).map((text) => ({ event: 'contentBlockDelta', data: { contentBlockIndex: 0, delta: { text } } })),
    { event: 'contentBlockStop', data: { contentBlockIndex: 0 } },
    { event: 'messageStop', data: { stopReason } },
    { event: 'metadata', data: { usage: { ...usage, outputTokens: Math.round(length / 4) }, metrics } },
  ]
}

function deltas(length: number, seed: number): string[] {
  const text = prose(length, seed + 1_000)
  return Array.from({ length: Math.ceil(length / deltaLength) }, (_, index) => text.slice(index * deltaLength, (index + 1) * deltaLength))
}
