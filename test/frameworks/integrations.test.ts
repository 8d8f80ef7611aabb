import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { namedModulesIn, page, writeTree } from '../docs/pages.ts'
import { isJsonObject } from '../../src/json/object.ts'
import { completion, response, responseEvents } from '../support/openai-answers.ts'
import { typecheck } from '../support/packed.ts'
import { type ProviderServer, startProvider } from '../support/provider-server.ts'
import { frameworks, needsFrameworks } from './packages.ts'

const all = namedModulesIn(page('docs/integrations.md'))
const examples = Object.keys(all).filter((file) => needsFrameworks(all[file] ?? ''))
const folder = writeTree(
  'integrations',
  Object.fromEntries(['cache.ts', ...examples].map((file) => [file, all[file] ?? ''])),
  false,
  frameworks,
)

/** The packages that a module imports, with their versions. */
function versions(file: string): string {
  return [...(all[file] ?? '').matchAll(/ from '((?:@[^/']+\/)?[^./'][^/']*)/g)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'llmemo')
    .map((name) => `${name} ${String(JSON.parse(readFileSync(join(frameworks, 'node_modules', name, 'package.json'), 'utf8')).version)}`)
    .join(', ')
}

describe('docs/integrations.md', () => {
  let server: ProviderServer
  let printed: unknown[][] = []

  beforeAll(async () => {
    server = await startProvider(({ path, body }, reply) => {
      const answer = `Blue ${server.requests.length}.`
      if (path.endsWith('/chat/completions')) return reply.json(completion(answer))
      return isJsonObject(body) && body['stream'] === true ? reply.events(responseEvents(answer)) : reply.json(response(answer))
    })
    vi.stubEnv('OPENAI_BASE_URL', `${server.url}/v1`)
    vi.stubEnv('OPENAI_API_KEY', 'sk-test')
    // The Agents SDK sends traces to OpenAI unless it is told not to.
    vi.stubEnv('OPENAI_AGENTS_DISABLE_TRACING', '1')
  })
  beforeEach(() => {
    printed = []
    vi.spyOn(console, 'log').mockImplementation((...given) => void printed.push(given))
  })
  afterAll(() => {
    vi.unstubAllEnvs()
    return server.close()
  })

  it('has lines for frameworks, and they compile as they stand', () => {
    expect(examples).toEqual(['agents.ts', 'mastra.ts', 'llamaindex.ts'])
    expect(typecheck(folder)).toBe('')
  })

  it.each(examples.map((file): [string, string] => [file, versions(file)]))('%s asks the provider once: %s', async (file) => {
    const before = server.requests.length
    await import(`${join(folder, file)}?run=1`)
    const first = printed
    printed = []
    await import(`${join(folder, file)}?run=2`)
    expect(server.requests.length).toBe(before + 1)
    expect(first).toEqual([[`Blue ${before + 1}.`]])
    expect(printed).toEqual(first)
  })
})
