import Anthropic from '@anthropic-ai/sdk'
import { ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { formatEvents, type ServerEvent } from '../../src/base/server-sent-events.ts'
import { type Cache, createCache } from '../../src/cache/cache.ts'
import { withCache } from '../../src/clients/with-cache.ts'
import { createMonitor } from '../../src/monitor/monitor.ts'
import { message, text as textBlock, textEvents } from '../support/anthropic-answers.ts'
import { startBedrock } from '../support/bedrock-server.ts'
import { converseAnswer, converseEvents, makeBedrock } from '../support/bedrock-sdk.ts'
import { chunksOf, completion } from '../support/openai-answers.ts'

/** Characters of a question of each size, within the default limits of a monitor. */
const lengths = { small: 100, medium: 2_000, large: 20_000, xlarge: 60_000 }
/** How often each size is asked while the monitor watches. */
const times = { small: 1, medium: 2, large: 3, xlarge: 4 }

interface Opened {
  readonly ask: (content: string, stream: boolean) => Promise<unknown>
  readonly close?: () => Promise<void>
}

const provider =
  (whole: object, events: readonly ServerEvent[]): typeof fetch =>
  async (_, init) => {
    const body = typeof init?.body === 'string' ? init.body : ''
    if (!body.includes('"stream":true')) return Response.json(whole)
    return new Response(formatEvents(events), { headers: { 'content-type': 'text/event-stream' } })
  }

const body = (content: string) => ({ model: 'm', max_tokens: 9, messages: [{ role: 'user' as const, content }] })
const input = (text: string) => ({ modelId: 'test.model-v1:0', messages: [{ role: 'user' as const, content: [{ text }] }] })

const clients: Readonly<Record<string, (cache: Cache) => Promise<Opened> | Opened>> = {
  OpenAI(cache) {
    const fetch = provider(completion('Hello.'), chunksOf('Hello.').flat())
    const client = withCache(new OpenAI({ apiKey: 'k', fetch }), cache)
    return {
      ask: async (content, stream) =>
        stream
          ? Array.fromAsync(await client.chat.completions.create({ ...body(content), stream }))
          : client.chat.completions.create(body(content)),
    }
  },
  Anthropic(cache) {
    const fetch = provider(message([textBlock('Hello.')]), textEvents('Hello.').flat())
    const client = withCache(new Anthropic({ apiKey: 'k', authToken: null, fetch }), cache)
    return {
      ask: async (content, stream) =>
        stream ? Array.fromAsync(await client.messages.create({ ...body(content), stream })) : client.messages.create(body(content)),
    }
  },
  async Bedrock(cache) {
    const server = await startBedrock('http1', ({ path }, reply) =>
      path.endsWith('-stream') ? reply.events(converseEvents('Hello.').flat()) : reply.json(converseAnswer('Hello.')),
    )
    const client = withCache(makeBedrock('http1', { url: server.url }), cache)
    return {
      ask: async (text, stream) =>
        stream
          ? Array.fromAsync((await client.send(new ConverseStreamCommand(input(text)))).stream ?? [])
          : client.send(new ConverseCommand(input(text))),
      close: async () => server.close(),
    }
  },
}

describe.each(Object.entries(clients))('hits by the size of their texts through %s', (_, open) => {
  it.each([false, true])('are counted where no key was made for them, streamed: %s', async (stream) => {
    const cache = createCache({ logger: false })
    const { ask, close } = await open(cache)
    const sizes = (['small', 'medium', 'large', 'xlarge'] as const).map((size) => ({ size, content: size.padEnd(lengths[size], 'x') }))
    // The lane learns a call from one that goes the documented way.
    for (const { content } of sizes) for (let time = 0; time < 3; time++) await ask(content, stream)
    const monitor = createMonitor(cache)
    const keys: string[] = []
    cache.on('key', ({ key }) => keys.push(key))
    for (const { size, content } of sizes) for (let time = 0; time < times[size]; time++) await ask(content, stream)
    const { bySize, calls } = monitor.report()
    expect(Object.fromEntries(Object.entries(bySize).map(([size, { hits, misses }]) => [size, [hits, misses]]))).toEqual({
      small: [1, 0],
      medium: [2, 0],
      large: [3, 0],
      xlarge: [4, 0],
    })
    expect(calls.hits).toBe(10)
    // Long texts are not remembered by the lane, so their keys are made each time.
    expect(keys.length).toBeLessThan(10)
    monitor.close()
    await close?.()
  })
})
