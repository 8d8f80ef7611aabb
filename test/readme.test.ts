import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { errorsIn, linksIn, modulesIn, page, scriptsIn, writeTree } from './docs/pages.ts'
import { manifest, top } from './support/packed.ts'

/** What stands in the package beside the files that package.json lists, or is to be listed there. */
const travelling = ['docs/', 'examples/', 'CHANGELOG.md', 'LICENSE', 'dist/']

/** An answer of OpenAI with this usage, as its SDK gets it. */
function answered(input: number, output: number): Response {
  const message = { role: 'assistant', content: 'A cache keeps what was asked before.' }
  const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
  const choices = [{ index: 0, message, finish_reason: 'stop' }]
  return Response.json({ id: 'c', object: 'chat.completion', created: 1, model: 'gpt-5-mini-2025-08-07', choices, usage })
}

afterEach(() => {
  vi.unstubAllGlobals()
  vi.unstubAllEnvs()
})

describe('README.md', () => {
  it('is read in one go: fewer than 200 lines', () => {
    expect(page('README.md').trimEnd().split('\n').length).toBeLessThan(200)
  })

  it.each([
    ['G13 which policies of eviction keep Redis useful', /`maxmemory-policy`, use `[a-z-]+`/],
    ['G18 what memory does while the store cannot be read, and how to refuse that', /while the store cannot be read.*`requireStore`/],
    ['G44 how to leave headers out of the key, by a prefix too', /`key: \{ ignoreHeaders: \['[a-z-]+\*'\] \}`/],
  ])('says %s', (_, said) => {
    expect(page('README.md')).toMatch(said)
  })

  it('names only npm scripts that there are', () => {
    const scripts = scriptsIn(page('README.md'))
    expect(scripts).toContain('test')
    expect(Object.keys(manifest().scripts)).toEqual(expect.arrayContaining(scripts))
  })

  it('links only to files that are there, and that are in the package too', () => {
    const links = linksIn(page('README.md'))
    expect(links).toContain('CHANGELOG.md')
    expect(links.filter((path) => !existsSync(join(top, path)))).toEqual([])
    expect(links.filter((path) => !travelling.some((each) => path.startsWith(each)))).toEqual([])
  })

  it('shows TypeScript that compiles', () => {
    const modules = modulesIn(page('README.md'))
    expect(modules).not.toEqual([])
    expect(errorsIn('readme', modules)).toBe('')
  })

  it('begins with an example that does what its comments say', async () => {
    const [example = ''] = modulesIn(page('README.md'))
    const told =
      /console\.log\(answer\._cache\) \/\/ \{ hit: (\w+), source: '(\w+)', age: (\d+), ttl: (\d+), savedUsd: ([\d.]+), savedTokens: (\d+)/.exec(
        example,
      )
    const [hit, source, age, ttl, savedUsd, savedTokens] = told?.slice(1) ?? []
    const fetched = vi.fn<() => Promise<Response>>(() => Promise.resolve(answered(12, 258)))
    const logged = vi.spyOn(console, 'log').mockImplementation(() => undefined)
    vi.stubGlobal('fetch', fetched)
    vi.stubEnv('OPENAI_API_KEY', 'none')
    await import(join(writeTree('readme', { 'example.ts': example }), 'example.ts'))
    expect(fetched).toHaveBeenCalledTimes(1)
    expect(logged).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({
        hit: hit === 'true',
        source,
        age: Number(age),
        ttl: Number(ttl),
        savedUsd: Number(savedUsd),
        savedTokens: Number(savedTokens),
      }),
    )
  })
})

describe('the checks of a page', () => {
  it('put blocks together that belong together', () => {
    const text = "```ts\nimport 'a'\n```\ntext\n```ts\nb()\n```\n```sh\nnpm ci\n```\n```ts\nimport 'c'\n```\n"
    expect(modulesIn(text)).toEqual(["import 'a'\nb()\n", "import 'c'\n"])
  })

  it('find a script', () => {
    expect(scriptsIn('`npm ci && npm test`, then npm run quickstart or npm run -s check:package')).toEqual([
      'quickstart',
      'check:package',
      'test',
    ])
  })

  it('find a link to a file, and leave out those to the web and to a heading', () => {
    expect(linksIn('[a](examples/a.ts), ![b](b.svg "b"), [c](https://example.com/c), [d](#d), [e](docs/e.md#f)')).toEqual([
      'examples/a.ts',
      'b.svg',
      'docs/e.md',
    ])
  })

  it('find a mistake', () => {
    expect(errorsIn('mistake', ["import { LlmemoError } from 'llmemo'\nexport const text: string = LlmemoError"])).toContain('error TS2322')
  })
})
