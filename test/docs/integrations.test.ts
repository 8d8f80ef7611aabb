import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { isJsonObject } from '../../src/json/object.ts'
import { needsFrameworks } from '../frameworks/packages.ts'
import { message, text } from '../support/anthropic-answers.ts'
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
    for (const name of ['OPENAI', 'ANTHROPIC', 'MISTRAL', 'GROQ', 'TOGETHER', 'PERPLEXITY', 'GOOGLE_GENERATIVE_AI'])
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

  const examples = Object.keys(modules).filter((file) => !['cache.ts', 'tenants.ts'].includes(file))

  it.each(examples.map((file): [string, string] => [file, versions(file)]))('%s asks the provider once: %s', async (file) => {
    const before = server.requests.length
    await run(file)
    const [first, asked] = [printed, server.requests.length]
    expect(asked).toBe(before + 1)
    printed = []
    await run(file)
    expect(server.requests.length).toBe(asked)
    expect(JSON.stringify(printed)).toContain('Blue')
    // What the cache says of itself differs.
    const [again, atFirst] = [printed, first].map((lines) => lines.map(([line]) => line))
    expect(again).toEqual(atFirst)
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
