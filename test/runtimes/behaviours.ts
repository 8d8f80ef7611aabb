/**
 * What a cache must do in every runtime, as a program that runs in each of them: by the built package, over a store of its own.
 * @module
 */
import { cachingFetch, createCache, type Store, withCache } from 'llmemo'
import OpenAI, { APIError } from 'openai'

/** What was seen, by what was tried: a value, or the error. */
export type Report = Readonly<Record<string, unknown>>

type Asked = Readonly<Record<string, unknown>>

function textOf(answer: OpenAI.ChatCompletion): string {
  return answer.choices[0]?.message.content ?? ''
}

function body(content: string): OpenAI.ChatCompletionCreateParamsNonStreaming {
  return { model: 'gpt-5-mini', messages: [{ role: 'user', content }] }
}

/** Tries everything against the provider at `url`, whose every answer is another. */
export async function behaviours(url: string): Promise<Report> {
  const sdk = () => new OpenAI({ apiKey: 'sk-test', baseURL: url, maxRetries: 0, dangerouslyAllowBrowser: true })
  const values = new Map<string, Uint8Array>()
  const store: Store = {
    name: 'own',
    get: async (key) => values.get(key)?.slice(),
    set: async (key, value) => void values.set(key, value.slice()),
    delete: async (key) => void values.delete(key),
  }
  const lines: string[] = []
  const log = (line: string): void => void lines.push(line)
  const options = { store, logger: { warn: log, info: log, error: log, debug: () => undefined } } as const
  const cache = createCache(options)
  const client = withCache(sdk(), cache)
  const ask = (content: string, given: Asked = {}) => client.chat.completions.create(body(content), given)
  const stream = async (content: string): Promise<string> => {
    let text = ''
    for await (const chunk of await client.chat.completions.create({ ...body(content), stream: true })) {
      text += chunk.choices[0]?.delta.content ?? ''
    }
    return text
  }
  const report: Record<string, unknown> = {}
  const see = async (what: string, work: () => unknown): Promise<void> => {
    try {
      report[what] = await work()
    } catch (error) {
      report[what] = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    }
  }

  await see('a second call', async () => {
    const [first, second] = [await ask('one'), await ask('one')]
    return [first._cache.hit, second._cache.hit, second._cache.source, JSON.stringify(first) === JSON.stringify(second)]
  })
  await see('a stream of a whole answer', async () => (await stream('one')) === textOf(await ask('one')))
  await see('a whole answer of a stream', async () => {
    const [first, second, whole] = [await stream('two'), await stream('two'), await ask('two')]
    return [first === second, first === textOf(whole), whole._cache.hit]
  })
  await see('equal calls at once', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => ask('three')))
    return new Set(answers.map(textOf)).size
  })
  await see('another scope', async () => (await ask('one', { cache: { scope: 'other' } }))._cache.hit)
  await see('an invalidated tag', async () => {
    await ask('four', { cache: { tags: ['doc'] } })
    const before = await ask('four', { cache: { tags: ['doc'] } })
    await cache.invalidate({ tags: ['doc'] })
    return [before._cache.hit, (await ask('four', { cache: { tags: ['doc'] } }))._cache.hit]
  })
  await see('a bypass', async () => (await ask('one', { bypassCache: true }))._cache.hit)
  await see('an error', async () => {
    const failed = await ask('fail once').then(textOf, (error: unknown) => (error instanceof APIError ? error.status : error))
    return [failed, (await ask('fail once'))._cache.hit]
  })
  await see('cachingFetch', async () => {
    const fetch = cachingFetch(cache)
    const headers = { authorization: 'Bearer sk-test', 'content-type': 'application/json' }
    const send = () => fetch(`${url}/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body('five')) })
    const first = await send()
    const text = await first.text()
    const second = await send()
    return [first.headers.get('cache-status'), second.headers.get('cache-status')?.split(';')[1], text === (await second.text())]
  })
  await see('values', async () => {
    const made = await cache.wrap('value', '1h', () => ({ text: 'Grüße' }))
    await cache.flush()
    return [made, await cache.get('value')]
  })
  await see('tokens saved', () => cache.stats().savedTokens > 0)
  await see('everything written', () => cache.flush())
  await see('another cache over the same store', async () => {
    // A long answer is compressed.
    const other = createCache(options)
    const answer = await withCache(sdk(), other).chat.completions.create(body('one'))
    const sizes = [...values.values()].map(({ byteLength }) => byteLength)
    await other.close()
    return [answer._cache.source, textOf(answer) === textOf(await ask('one')), textOf(answer).length > 2 * Math.max(...sizes)]
  })
  await see('options of a request, by cache.with', () => cache.with({ scope: 'tenant' }, async () => (await ask('one'))._cache.scope))
  await see('encryption', async () => {
    const encrypted = createCache({ ...options, namespace: 'sealed', encryption: { keys: { k: new Uint8Array(32) }, current: 'k' } })
    await withCache(sdk(), encrypted).chat.completions.create(body('six'))
    await encrypted.close()
    const reader = createCache({ ...options, namespace: 'sealed', encryption: { keys: { k: new Uint8Array(32) }, current: 'k' } })
    return (await withCache(sdk(), reader).chat.completions.create(body('six')))._cache.source
  })
  await see('closed', () => cache.close())
  await see('log lines', () => lines)
  return report
}
