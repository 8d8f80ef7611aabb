import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { errorsIn, linksIn, modulesIn, page, scriptsIn } from './docs/pages.ts'
import { manifest, top } from './support/packed.ts'

/** What stands in the package beside the files that package.json lists, or is to be listed there. */
const travelling = ['examples/', 'CHANGELOG.md', 'LICENSE', 'dist/']

describe('README.md', () => {
  it('is read in one go: fewer than 200 lines', () => {
    expect(page('README.md').trimEnd().split('\n').length).toBeLessThan(200)
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
