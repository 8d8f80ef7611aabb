import Anthropic from '@anthropic-ai/sdk'
import { ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createCache } from '../../src/cache/cache.ts'
import { withCache } from '../../src/clients/with-cache.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import { message, text, textEvents } from '../support/anthropic-answers.ts'
import { converseAnswer, converseEvents, makeBedrock } from '../support/bedrock-sdk.ts'
import { startBedrock } from '../support/bedrock-server.ts'
import { chunksOf, completion } from '../support/openai-answers.ts'
import { isStream } from '../support/outcome.ts'
import { type ProviderServer, startProvider } from '../support/provider-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'llmemo-aborted-'))
let server: ProviderServer | undefined

afterEach(() => server?.close())
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** One way to call: makes a client of a server, and asks it a question, with a signal or without. */
interface Way {
  readonly start: (streamed: boolean) => Promise<ProviderServer>
  readonly open: (
    url: string,
    cache: ReturnType<typeof createCache>,
  ) => (question: string, streamed: boolean, signal?: AbortSignal) => PromiseLike<unknown>
}

const chat = (lane: boolean): Way => ({
  start: (streamed) => startProvider((_, reply) => (streamed ? reply.events(chunksOf('Hello.').flat()) : reply.json(completion('Hello.')))),
  open(url, cache) {
    const settings = { apiKey: 'k', baseURL: url, maxRetries: 0, ...(lane ? {} : { fetchOptions: { redirect: 'follow' as const } }) }
    const client = withCache(new OpenAI(settings), cache)
    return (content, stream, signal) =>
      client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content }], stream }, { ...(signal && { signal }) })
  },
})

const ways: readonly (readonly [string, Way])[] = [
  ['OpenAI', chat(true)],
  ['OpenAI, off the lanes', chat(false)],
  [
    'Anthropic',
    {
      start: (streamed) =>
        startProvider((_, reply) => (streamed ? reply.events(textEvents('Hello.').flat()) : reply.json(message([text('Hello.')])))),
      open(url, cache) {
        const client = withCache(new Anthropic({ apiKey: 'k', baseURL: new URL(url).origin, maxRetries: 0 }), cache)
        return (content, stream, signal) =>
          client.messages.create(
            { model: 'm', max_tokens: 9, messages: [{ role: 'user', content }], stream },
            { ...(signal && { signal }) },
          )
      },
    },
  ],
  [
    'Bedrock',
    {
      start: (streamed) =>
        startBedrock('http1', (_, reply) =>
          streamed ? reply.events(converseEvents('Hello.').flat()) : reply.json(converseAnswer('Hello.')),
        ),
      open(url, cache) {
        const client = withCache(makeBedrock('http1', { url }), cache)
        return (question, streamed, signal) => {
          const input = { modelId: 'm', messages: [{ role: 'user' as const, content: [{ text: question }] }] }
          const options = { ...(signal && { abortSignal: signal }) }
          return streamed ? client.send(new ConverseStreamCommand(input), options) : client.send(new ConverseCommand(input), options)
        }
      },
    },
  ],
]

/** How many events of the event loop a call is let go on for before it is aborted. */
const turns = [0, 1, 2, 3, 5, 8, 13, 21]

/** Reads an answer to its end. @returns how many events it had, or `whole` */
async function readAll(answer: unknown): Promise<unknown> {
  const stream: unknown = typeof answer === 'object' && answer !== null ? (Reflect.get(answer, 'stream') ?? answer) : answer
  return isStream(stream) ? (await Array.fromAsync(stream)).length : 'whole'
}

describe('a call that is aborted', () => {
  it.each(ways.flatMap(([name, way]) => [true, false].map((streamed) => ({ name, way, streamed }))))(
    'K04 disturbs no equal call, however far it was, over SQLite: $name (streamed: $streamed)',
    async ({ name, way, streamed }) => {
      server = await way.start(streamed)
      const store = sqliteStore(join(folder, `${name}-${streamed}.db`))
      const cache = createCache({ store, maxMemoryBytes: 0, logger: false })
      const ask = way.open(server.url, cache)
      const expected = await readAll(await ask('first', streamed))
      for (const order of ['joins', 'at once', 'later'] as const) {
        for (const number of turns) {
          const question = `${order} ${number}`
          const controller = new AbortController()
          const aborted = Promise.resolve(ask(question, streamed, controller.signal))
            .then(readAll)
            .catch(() => 'aborted')
          for (let turn = 0; turn < number; turn++) await new Promise((resolve) => setImmediate(resolve))
          const equal = order === 'joins' ? ask(question, streamed) : undefined
          controller.abort()
          if (order === 'later') await new Promise((resolve) => setImmediate(resolve))
          expect(await readAll(await (equal ?? ask(question, streamed)))).toBe(expected)
          await aborted
        }
      }
      await cache.close()
      expect(cache.stats().errors).toBe(0)
    },
  )
})
