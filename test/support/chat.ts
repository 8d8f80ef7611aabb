/**
 * Questions to a chat model, answers of one, and caches to put them in.
 * @module
 */
import type { Fetch } from '../../src/clients/http/caching-fetch.ts'
import { cachingFetch } from '../../src/clients/with-cache.ts'
import { createCache, type Cache, type CacheRequest } from '../../src/cache/cache.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

/** A question as `lookup` and `store` take it. */
export function question(text = 'What is the answer?', options: Partial<CacheRequest> = {}): CacheRequest {
  return { endpoint: 'chat.completions', body: { model: 'gpt-5-mini', messages: [{ role: 'user', content: text }] }, ...options }
}

/** A complete answer, in the provider's words. */
export function answer(text = '42', finish = 'stop') {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_750_000_000,
    model: 'gpt-5-mini-2025-08-07',
    choices: [{ index: 0, message: { role: 'assistant', content: text, refusal: null }, finish_reason: finish }],
    usage: { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 },
  }
}

/** The text in what was looked up, or `undefined` when nothing was found. */
export function textIn(looked: { readonly answer: Record<string, unknown> } | undefined): unknown {
  const choices: unknown = looked?.answer['choices']
  const message: unknown = Array.isArray(choices) ? Reflect.get(Object(choices[0]), 'message') : undefined
  return Reflect.get(Object(message), 'content')
}

/** Looks a question up. @returns the answer's text, or `undefined` */
export async function ask(cache: Cache, asked: CacheRequest = question()): Promise<unknown> {
  return textIn(await cache.lookup(asked))
}

/** Everything that a cache tells: its log lines and its events. */
export interface Told {
  readonly lines: string[]
  readonly events: { readonly name: string; readonly event: unknown }[]
}

/** Log lines without the reasons of faults, which differ between stores and systems. */
export function withoutReasons(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/ \(.+\); calls go on/, '; calls go on'))
}

/** A cache on a clock of its own, and what it tells. */
export function openCache(options: CacheOptions = {}): { cache: Cache; clock: ManualClock; told: Told; errors: () => string[] } {
  const clock = options.clock instanceof ManualClock ? options.clock : new ManualClock()
  const told: Told = { lines: [], events: [] }
  const logger = { warn: (line: string) => void told.lines.push(line), info: (line: string) => void told.lines.push(line) }
  // Most tests are about a process that has read its store before.
  const cache = createCache({ prices: false, logger, clock, firstReadDeadline: options.readDeadline ?? '100ms', ...options })
  for (const name of eventNames) cache.on(name, (event) => void told.events.push({ name, event }))
  const errors = () => told.events.filter(({ name }) => name === 'error').map(({ event }) => String(Reflect.get(Object(event), 'doing')))
  return { cache, clock, told, errors }
}

/** A caller through the HTTP seam. Its origin answers every question with `re: ` and the question. */
export interface Caller {
  /** Asks through the cache. @returns the answer's text; a failure is the test's */
  ask(text: string): Promise<unknown>
  /** The questions that reached the origin. */
  readonly asked: string[]
}

/** A caller through this cache, or through a `fetch` that some other copy of llmemo made. */
export function callerOf(cacheOrFetch: Cache | ((origin: Fetch) => Fetch)): Caller {
  const asked: string[] = []
  const origin: Fetch = async (_, init) => {
    const text = promptIn(init?.body)
    asked.push(text)
    return Response.json(answer(`re: ${text}`))
  }
  const fetch = typeof cacheOrFetch === 'function' ? cacheOrFetch(origin) : cachingFetch(cacheOrFetch, origin)
  return {
    asked,
    async ask(text) {
      const response = await fetch('https://api.openai.com/v1/chat/completions', {
        method: 'POST',
        headers: { authorization: 'Bearer sk-test', 'content-type': 'application/json' },
        body: JSON.stringify(question(text).body),
      })
      return response.status === 200 ? textIn({ answer: { ...Object(await response.json()) } }) : `status ${response.status}`
    },
  }
}

/** The question in the body of a request. */
export function promptIn(body: unknown): string {
  const request: unknown = JSON.parse(String(body))
  const messages: unknown = Reflect.get(Object(request), 'messages')
  return String(Reflect.get(Object(Array.isArray(messages) ? messages[0] : undefined), 'content'))
}

/** The names of all events. */
export const eventNames = ['hit', 'miss', 'bypass', 'store', 'skip', 'evict', 'invalidate', 'error', 'state', 'drop'] as const

/** Lets everything go on that only waits for promises, and for what follows at once. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}
