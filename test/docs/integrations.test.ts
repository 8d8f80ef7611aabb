import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import OpenAI from 'openai'
import type { Cache } from '../../src/cache/cache.ts'
import { cacheInfo } from '../../src/clients/cache-info.ts'
import { isJsonObject } from '../../src/json/object.ts'
import { needsFrameworks } from '../frameworks/packages.ts'
import { message, text } from '../support/anthropic-answers.ts'
import { converseAnswer } from '../support/bedrock-sdk.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { startUpstash, type UpstashServer } from '../support/upstash-server.ts'
import { geminiAnswer, geminiEvents } from '../support/google-answers.ts'
import { chunksOf, completion, response, responseEvents } from '../support/openai-answers.ts'
import { top, typecheck } from '../support/packed.ts'
import { type ProviderServer, startProvider } from '../support/provider-server.ts'
import { namedModulesIn, page, writeTree } from './pages.ts'

/** The page's modules by their files. Those that need large packages are run by the suite in `test/frameworks`. */
const modules = Object.fromEntries(
  Object.entries(namedModulesIn(page('docs/integrations.md'))).filter(([, text]) => !needsFrameworks(text)),
)
const folder = writeTree('integrations', modules)

/** The names of the packages that a module imports, with their versions. */
function versions(file: string): string {
  const names = [...(modules[file] ?? '').matchAll(/ from '([^'.][^']*)'/g)].map(([, name = '']) => name)
  const known = names.filter((name) => !name.startsWith('llmemo'))
  return known
    .map(
      (name) =>
        `${name} ${String(Reflect.get(JSON.parse(readFileSync(join(top, 'node_modules', name, 'package.json'), 'utf8')), 'version'))}`,
    )
    .join(', ')
}

const cohereUsage = { tokens: { input_tokens: 9, output_tokens: 12 }, billed_units: { input_tokens: 9, output_tokens: 12 } }

/** An answer in the form of the AI Gateway's own protocol, which is that of a model of the AI SDK. */
function gatewayAnswer(answer: string): object {
  const usage = { inputTokens: { total: 9 }, outputTokens: { total: 12 } }
  return { content: [{ type: 'text', text: answer }], finishReason: { unified: 'stop', raw: 'stop' }, usage, warnings: [] }
}

function isCache(value: unknown): value is Cache {
  return typeof value === 'object' && value !== null && 'flush' in value
}

const platformFetch = globalThis.fetch

let runs = 0

/** Runs a module once more. */
function run(file: string): Promise<Record<string, unknown>> {
  return import(`${join(folder, file)}?run=${++runs}`)
}

describe('docs/integrations.md', () => {
  let server: ProviderServer
  let cache: Cache
  let printed: unknown[][] = []

  beforeAll(async () => {
    server = await startProvider(({ path, body, headers }, reply) => {
      const isStream = isJsonObject(body) && body['stream'] === true
      const answer = `Blue ${server.requests.length}.`
      if (Object.keys(headers).some((name) => name.includes('llmemo'))) return reply.json({ error: { message: 'leaked' } }, { status: 400 })
      if (path.includes('streamGenerateContent')) return reply.events(geminiEvents(answer).flat())
      if (path.includes('generateContent')) return reply.json(geminiAnswer(answer))
      if (path.includes('batchEmbedContents')) return reply.json({ embeddings: [{ values: [1] }, { values: [2] }] })
      if (path.endsWith('/embeddings'))
        return reply.json({ data: [1, 2].map((value, index) => ({ index, embedding: [value] })), usage: { total_tokens: 2 } })
      if (path.endsWith('/images/generations')) return reply.json({ created: 1, data: [{ b64_json: 'Qmx1ZQ==' }] })
      if (path.endsWith('/v2/rerank') || path.endsWith('/v1/rerank'))
        return reply.json({ id: answer, results: [{ index: 0, relevance_score: 0.9 }], data: [{ index: 0, relevance_score: 0.9 }] })
      if (path.endsWith('/v2/chat'))
        return reply.json({
          message: { role: 'assistant', content: [{ type: 'text', text: answer }] },
          finish_reason: 'COMPLETE',
          usage: cohereUsage,
        })
      if (path.endsWith('/converse')) return reply.json(converseAnswer(answer))
      if (path.endsWith(':rawPredict')) return reply.json(message([text(answer)]))
      if (path.endsWith('/language-model')) return reply.json(gatewayAnswer(answer))
      if (path.endsWith('/messages')) return reply.json(message([text(answer)]))
      if (path.endsWith('/api/chat'))
        return reply.json({ model: 'llama3.2', message: { role: 'assistant', content: answer }, done: true, done_reason: 'stop' })
      if (path.endsWith('/responses')) return isStream ? reply.events(responseEvents(answer)) : reply.json(response(answer))
      return isStream ? reply.events(chunksOf(answer).flat()) : reply.json(completion(answer))
    })
    const { fetch } = globalThis
    // The page's lines name no hosts but the providers' own.
    vi.stubGlobal('fetch', (input: string | URL | Request, init?: RequestInit) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input)
      return fetch(`${server.url}${pathname}`, init)
    })
    // Cerebras's SDK sends by a package of its own.
    vi.stubEnv('CEREBRAS_BASE_URL', server.url.replace(/\/v1$/, ''))
    vi.stubEnv('AWS_BEARER_TOKEN_BEDROCK', 'key')
    for (const name of [
      'CEREBRAS',
      'COHERE',
      'AI_GATEWAY',
      'AZURE_OPENAI',
      'OPENAI',
      'ANTHROPIC',
      'MISTRAL',
      'GROQ',
      'TOGETHER',
      'PERPLEXITY',
      'GOOGLE_GENERATIVE_AI',
    ])
      vi.stubEnv(`${name}_API_KEY`, 'sk-test')
    cache = Reflect.get(await import(join(folder, 'cache.ts')), 'cache')
  })
  beforeEach(async () => {
    await cache.clear()
    printed = []
    vi.spyOn(console, 'log').mockImplementation((...given) => void printed.push(given))
  })
  afterAll(() => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
    vi.unstubAllGlobals()
    return server.close()
  })

  it('compiles as it stands', () => {
    expect(Object.keys(modules)).toEqual(expect.arrayContaining(['cache.ts', 'ai-sdk.ts', 'langchain.ts', 'groq.ts', 'together.ts']))
    expect(typecheck(folder)).toBe('')
  })

  const stores = Object.keys(modules).filter((file) => file.startsWith('store-'))
  const examples = Object.keys(modules).filter((file) => !['cache.ts', 'tenants.ts', 'compatible.ts', ...stores].includes(file))
  /** Examples that ask for two things. */
  const twice = new Set(['ai-sdk-cohere.ts', 'ai-sdk-other-models.ts', 'voyage.ts'])

  it.each(examples.map((file): [string, string] => [file, versions(file)]))('%s asks the provider once: %s', async (file) => {
    const before = server.requests.length
    await run(file)
    const [first, asked] = [printed, server.requests.length]
    expect(asked).toBe(before + (twice.has(file) ? 2 : 1))
    printed = []
    await run(file)
    expect(server.requests.length).toBe(asked)
    expect(JSON.stringify(printed)).toMatch(/Blue|blue|Qmx1ZQ/)
    // What the cache says of itself differs.
    const [again, atFirst] = [printed, first].map((lines) => lines.map(([line]) => line))
    expect(again).toEqual(atFirst)
  })

  it('services that speak OpenAI’s protocol each answer once, and a second call is a hit', async () => {
    const clients = Object.entries(await run('compatible.ts'))
    expect(clients.length).toBe(8)
    const before = server.requests.length
    for (const [, client] of clients) {
      if (!(client instanceof OpenAI)) throw new TypeError('no client of OpenAI')
      const ask = async (): Promise<unknown> =>
        client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'Why?' }] })
      const [first, second] = [await ask(), await ask()]
      expect([cacheInfo(first)?.hit, cacheInfo(second)?.hit]).toEqual([false, true])
      expect(second).toEqual(first)
    }
    expect(server.requests.length).toBe(before + clients.length)
  })

  describe('a store in Redis', () => {
    let redis: RedisServer
    let upstash: UpstashServer
    beforeAll(async () => {
      redis = await startRedis()
      upstash = await startUpstash(redis)
      vi.stubEnv('REDIS_URL', `redis://${redis.host}:${redis.port}`)
      vi.stubEnv('VALKEY_HOST', redis.host)
      vi.stubEnv('VALKEY_PORT', String(redis.port))
      vi.stubEnv('UPSTASH_REDIS_REST_URL', upstash.url)
      vi.stubEnv('UPSTASH_REDIS_REST_TOKEN', upstash.token)
      // Upstash's client sends by the fetch of the platform.
      vi.stubGlobal('fetch', platformFetch)
    })
    afterAll(async () => {
      await upstash.stop()
      await redis.stop()
    })

    it.each(stores.map((file): [string, string] => [file, versions(file)]))('%s keeps what another cache finds: %s', async (file) => {
      const [first, second] = [await run(file), await run(file)].map((module) => module['cache'])
      if (!isCache(first) || !isCache(second)) throw new TypeError('no cache')
      await first.set(file, { text: 'Blue' }, '1h')
      await first.flush()
      expect(await second.get(file)).toEqual({ text: 'Blue' })
    })
  })

  it('the AI SDK shows what the cache did', async () => {
    for (const status of ['llmemo; fwd=miss; stored', 'llmemo; hit; ttl=600; detail=memory']) {
      printed = []
      await run('ai-sdk.ts')
      expect(printed[0]?.[1]).toBe(status)
    }
  })

  it('tenants share no answer, and what changed is asked again', async () => {
    const { answer, outdate } = await run('tenants.ts')
    const ask = (tenant: string): unknown => Reflect.apply(Object(answer), undefined, [tenant, 'Is the sky blue?'])
    const [first, second] = [await ask('a'), await ask('b')]
    expect(first).not.toBe(second)
    expect([await ask('a'), await ask('b')]).toEqual([first, second])
    await Reflect.apply(Object(outdate), undefined, [])
    expect(await ask('a')).not.toBe(first)
  })
})
