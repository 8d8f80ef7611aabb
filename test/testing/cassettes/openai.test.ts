import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import type { CacheOptions } from '../../../src/engine/settings/options.ts'
import { isNotCached } from '../../../src/not-cached.ts'
import { type CassetteOptions, cassetteStore, ManualClock } from '../../../src/testing/index.ts'
import { errorOf } from '../../support/cassettes.ts'
import { chunksOf, completion, response } from '../../support/openai-answers.ts'
import { promptIn } from '../../support/chat.ts'
import { type ProviderServer, startProvider } from '../../support/provider-server.ts'

let provider: ProviderServer
let folder = ''

beforeEach(async () => {
  vi.stubEnv('LLMEMO_MODE', undefined)
  folder = join(mkdtempSync(join(tmpdir(), 'llmemo-cassettes-')), 'cassettes')
  provider = await startProvider(({ body }, reply) => {
    const text = `${promptIn(JSON.stringify(body))}\nanswer ${provider.requests.length}`
    if (Reflect.get(Object(body), 'stream') === true) return reply.events(chunksOf(text).flat())
    return reply.json(completion(text), { headers: { 'x-request-id': 'req_1', 'openai-organization': 'org-secret', 'set-cookie': 'a=b' } })
  })
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await provider.close()
  rmSync(join(folder, '..'), { recursive: true, force: true })
})

interface Opened extends CassetteOptions {
  readonly apiKey?: string
  readonly cache?: CacheOptions
}

function open(mode: CacheOptions['mode'], { apiKey = 'sk-first', cache: options = {}, ...cassettes }: Opened = {}) {
  const store = cassetteStore(folder, cassettes)
  const cache = createCache({ store, logger: false, ...(mode !== undefined && { mode }), ...options })
  const client = new OpenAI({ apiKey, organization: 'org-secret', project: 'proj-secret', baseURL: provider.url, maxRetries: 2 })
  const openai = withCache(client, cache)
  const ask = async (content: string, rest: object = {}) =>
    openai.chat.completions.create({ model: 'gpt-5-mini', messages: [{ role: 'user', content }], temperature: 0 }, rest)
  const stream = async (content: string) => {
    const events = await openai.chat.completions.create({ model: 'gpt-5-mini', messages: [{ role: 'user', content }], stream: true })
    let text = ''
    for await (const { choices } of events) text += choices[0]?.delta.content ?? ''
    return text
  }
  return { store, cache, openai, ask, stream }
}

const textOf = (answer: OpenAI.ChatCompletion): unknown => answer.choices[0]?.message.content

function scrub(text: string): string {
  return text.replaceAll('Ada Lovelace', 'NAME')
}

/** Records what `act` asks. */
async function record(act: (opened: ReturnType<typeof open>) => Promise<unknown>, options: Opened = {}): Promise<void> {
  const opened = open('record', options)
  await act(opened)
  await opened.cache.close()
}

function files(): string[] {
  return readdirSync(folder).toSorted()
}

function fileText(name = files()[0] ?? ''): string {
  return readFileSync(join(folder, name), 'utf8')
}

describe('recordings of OpenAI', () => {
  it('V03 replays what was recorded, with another credential, long after, and without the provider', async () => {
    await record(async ({ ask }) => ask('Summarise the OpenAI licence', { cache: { operation: 'summarise' } }))
    await provider.close()
    const clock = new ManualClock(Date.UTC(1999, 0, 1))
    const { ask, cache } = open('replay', { apiKey: 'sk-second', cache: { clock, ttl: '1s' } })
    const again = await ask('Summarise the OpenAI licence', { cache: { operation: 'summarise' } })
    clock.advance(400 * 86_400_000)
    const later = await ask('Summarise the OpenAI licence', { cache: { operation: 'summarise', ttl: '1m' } })
    expect([textOf(again), textOf(later)]).toEqual(['Summarise the OpenAI licence\nanswer 1', 'Summarise the OpenAI licence\nanswer 1'])
    expect([again._request_id, again._cache.hit, again._cache.source, cache.stats().hits]).toEqual(['req_1', true, 'cassette', 2])
  })

  it('V04 the file is readable: the request first and sorted, the answer after it, texts as lines', async () => {
    await record(async ({ ask }) => ask('Two lines:\nthis one', { cache: { operation: 'summarise' } }))
    const [name] = files()
    expect(name).toMatch(/^summarise-two-lines-this-one-[0-9a-f]{8}\.json$/)
    const { request, call, answer, ...rest } = JSON.parse(fileText())
    expect(rest).toEqual({})
    expect(fileText().startsWith('{\n  "request": {\n    "messages": [')).toBe(true)
    expect(request).toEqual({
      messages: [{ content: { $lines: ['Two lines:', 'this one'] }, role: 'user' }],
      model: 'gpt-5-mini',
      temperature: 0,
    })
    expect(call).toEqual({
      operation: 'summarise',
      provider: 'openai',
      endpoint: 'chat.completions',
      origin: provider.url,
      key: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(name).toContain(call.key.slice(0, 8))
    expect(answer).toMatchObject({
      status: 200,
      body: { choices: [{ message: { content: { $lines: ['Two lines:', 'this one', 'answer 1'] } } }] },
    })
    expect(answer.headers).toEqual({ 'content-type': 'application/json', 'x-request-id': 'req_1' })
  })

  it('V01 no file holds a credential, an organisation or a project', async () => {
    await record(
      async ({ openai }) => {
        const request = { model: 'gpt-5-mini', messages: [{ role: 'user' as const, content: 'Hi' }] }
        return openai.chat.completions.create(request, { headers: { 'x-gateway-token': 'gw-secret' }, query: { api_key: 'query-secret' } })
      },
      { apiKey: 'sk-secret' },
    )
    const text = files().map((name) => name + fileText(name))
    expect(text.join('')).toContain('x-gateway-token')
    expect(text.join('')).not.toMatch(/secret|bearer|authorization|cookie/i)
  })

  it('V04 a stream is recorded one event a line, and replayed as a stream and whole', async () => {
    await record(async ({ stream }) => stream('Tell me'))
    const lines = fileText().split('\n')
    const events = chunksOf('Tell me\nanswer 1').flat()
    expect(lines.filter((line) => /^ {6}\{"data":/.test(line))).toHaveLength(events.length)
    await provider.close()
    const { stream } = open('replay')
    expect(await stream('Tell me')).toBe('Tell me\nanswer 1')
  })

  it('V05 in replay a miss fails at once, and names the nearest recording and the first difference', async () => {
    await record(async ({ ask }) => {
      await ask('Summarise the licence of OpenAI for a child')
      await ask('Translate this poem into French')
    })
    const asked = provider.requests.length
    const { ask, stream } = open('replay')
    for (const call of [() => ask('Summarise the licence of OpenAI for a lawyer'), () => stream('Something else')]) {
      const error = await errorOf(call)
      expect(isNotCached(error)).toBe(true)
    }
    const message = String(await errorOf(() => ask('Summarise the licence of OpenAI for a lawyer')))
    expect(message).toContain(files().find((name) => name.startsWith('chat-summarise')))
    expect(message).toContain('request.messages[0].content')
    expect(message).toContain('recorded: "…licence of OpenAI for a child"')
    expect(message).toContain('asked:    "…licence of OpenAI for a lawyer"')
    expect(message).toContain('LLMEMO_MODE')
    expect(provider.requests.length).toBe(asked)
  })

  it('V02 in replay nothing reaches the provider, whatever a call asks for', async () => {
    const { ask, openai, cache } = open('replay', { cache: { enabled: false } })
    const calls: (() => PromiseLike<unknown>)[] = [
      () => ask('Hi', { bypassCache: true }),
      () => ask('Hi', { cache: { mode: 'reload' } }),
      () => ask('Hi', { cache: { mode: 'no-store' } }),
      () => openai.responses.create({ model: 'm', input: 'Hi', previous_response_id: 'resp_1' }),
      () => openai.models.list(),
      () => openai.files.create({ file: new File(['x'], 'x.txt'), purpose: 'batch' }),
      () => openai.embeddings.create({ model: 'm', input: ['a', 'b'] }),
    ]
    for (const call of calls) expect(isNotCached(await errorOf(call))).toBe(true)
    await cache.close()
    expect(provider.requests).toEqual([])
  })

  it('V02 record asks once for each request, and again in the next run', async () => {
    const asked: unknown[] = []
    const act = async ({ ask }: ReturnType<typeof open>) => {
      for (let time = 0; time < 3; time++) asked.push(textOf(await ask('Hi', time === 1 ? { bypassCache: true } : {})))
    }
    await record(act)
    await record(act)
    expect(asked).toEqual([...Array(3).fill('Hi\nanswer 1'), ...Array(3).fill('Hi\nanswer 2')])
    expect(files()).toHaveLength(1)
    const { ask } = open('replay')
    expect(textOf(await ask('Hi'))).toBe('Hi\nanswer 2')
  })

  it('V02 auto replays what there is and records the rest; it is the default', async () => {
    await record(async ({ ask }) => ask('Hi'))
    const opened = open(undefined)
    expect([textOf(await opened.ask('Hi')), textOf(await opened.ask('Ho'))]).toEqual(['Hi\nanswer 1', 'Ho\nanswer 2'])
    await opened.cache.close()
    const { ask } = open('replay')
    expect(textOf(await ask('Ho'))).toBe('Ho\nanswer 2')
  })

  it('V02 LLMEMO_MODE goes before the mode of the cache', async () => {
    await record(async ({ ask }) => ask('Hi'))
    vi.stubEnv('LLMEMO_MODE', 'replay')
    const replaying = open('record')
    expect(textOf(await replaying.ask('Hi'))).toBe('Hi\nanswer 1')
    expect(isNotCached(await errorOf(() => replaying.ask('Ho')))).toBe(true)
    vi.stubEnv('LLMEMO_MODE', 'record')
    expect(textOf(await open('replay').ask('Hi'))).toBe('Hi\nanswer 2')
    vi.stubEnv('LLMEMO_MODE', 'rewind')
    expect(() => open('replay')).toThrow('LLMEMO_MODE')
  })

  it('V03 an invalidation concerns no recording', async () => {
    await record(async ({ ask }) => ask('Hi', { cache: { tags: ['doc:1'] } }))
    const { ask, cache } = open('replay')
    const texts = [textOf(await ask('Hi', { cache: { tags: ['doc:1'] } }))]
    await cache.invalidate({ tags: ['doc:1'] })
    texts.push(textOf(await ask('Hi', { cache: { tags: ['doc:1'] } })))
    await cache.invalidate({ all: true })
    texts.push(textOf(await ask('Hi')))
    expect(texts).toEqual(Array(3).fill('Hi\nanswer 1'))
    expect(files()).toHaveLength(1)
  })

  it('V06 a folder that can only be read is replayed', async () => {
    await record(async ({ ask }) => ask('Hi'))
    chmodSync(join(folder, files()[0] ?? ''), 0o444)
    chmodSync(folder, 0o555)
    const { ask, cache } = open('replay')
    expect(textOf(await ask('Hi'))).toBe('Hi\nanswer 1')
    await cache.close()
    const auto = open('auto')
    expect([textOf(await auto.ask('Hi')), textOf(await auto.ask('Ho'))]).toEqual(['Hi\nanswer 1', 'Ho\nanswer 2'])
    await auto.cache.close()
    chmodSync(folder, 0o755)
  })

  it('V01 scrub changes the file, the name and the message, and not what is found', async () => {
    await record(async ({ ask }) => ask('Who is Ada Lovelace?'), { scrub })
    expect(files().join('') + fileText()).not.toMatch(/ada|lovelace/i)
    const { ask } = open('replay', { scrub })
    expect(textOf(await ask('Who is Ada Lovelace?'))).toBe('Who is NAME?\nanswer 1')
    const message = String(await errorOf(() => ask('Where is Ada Lovelace?')))
    expect(message).toContain('asked:    "Where is NAME?"')
    expect(message).not.toContain('Lovelace')
  })

  it('V06 lists the recordings that nothing asked for', async () => {
    await record(async ({ ask }) => {
      await ask('Hi')
      await ask('Ho')
    })
    const { ask, store } = open('replay')
    await ask('Hi')
    expect(store.unused()).toEqual([expect.stringMatching(/^chat-ho-/)])
  })

  it('V04 what a cache would not store is recorded: cut answers, and calls that continue others', async () => {
    const act = async ({ openai }: ReturnType<typeof open>) =>
      openai.chat.completions.create({ model: 'm', max_completion_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] })
    provider.respond((_, reply) => reply.json(completion('cut', undefined, 'length')))
    await record(act)
    expect(textOf(await act(open('replay')))).toBe('cut')
    const next = async ({ openai }: ReturnType<typeof open>) =>
      openai.responses.create({ model: 'm', input: 'And then?', previous_response_id: 'resp_1' })
    provider.respond((_, reply) => reply.json(response('the end')))
    await record(next)
    expect((await next(open('replay'))).output_text).toBe('the end')
  })
})

afterAll(() => vi.unstubAllEnvs())
