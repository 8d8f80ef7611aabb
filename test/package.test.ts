import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unnameable } from './support/declared-types.ts'
import { assertBuilt, install, manifest, subpaths, top, type Project } from './support/packed.ts'

/** The doors that need an optional peer: a store that must make commands of the AWS SDK's own classes, and types of OpenTelemetry. */
const peersOf: Readonly<Record<string, readonly string[]>> = {
  'llmemo/dynamodb': ['@aws-sdk/lib-dynamodb', '@aws-sdk/client-dynamodb'],
  'llmemo/langchain': ['@langchain/core'],
  'llmemo/otel': ['@opentelemetry/api'],
}
/** The doors that need no peer. */
const ownDoors = subpaths().filter((subpath) => peersOf[subpath] === undefined)

let project: Project
/** Where the peers of all doors are installed. */
let equipped: Project

beforeAll(() => {
  assertBuilt()
  project = install()
  equipped = install()
  for (const name of Object.values(peersOf).flat()) equipped.link(name)
})

afterAll(() => {
  project?.remove()
  equipped?.remove()
})

/** A module that loads `subpath` by `import` or `require` and prints what it exports and which modules it loaded. */
function probe(how: 'import' | 'require', subpath: string): string {
  return `
    import { createRequire, registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context) } })
    const exported = ${how === 'import' ? 'await import' : 'createRequire(import.meta.url)'}('${subpath}')
    console.log(JSON.stringify({ names: Object.keys(exported).toSorted(), loaded }))
  `
}

function load(how: 'import' | 'require', subpath: string, ...flags: string[]): { names: string[]; loaded: string[] } {
  // What the module above prints: not checked.
  const printed: { names: string[]; loaded: string[] } = JSON.parse(
    (peersOf[subpath] === undefined ? project : equipped).run(probe(how, subpath), ...flags),
  )
  return printed
}

/** The texts at the ends of `exports`: the files that it names. */
function filesOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(filesOf) : []
}

describe('the front door', () => {
  it('is bundled for a browser where no peer is installed, without a module of Node.js', async () => {
    const entry = join(project.folder, 'bundled.mjs')
    writeFileSync(entry, "export { createCache, withCache } from 'llmemo'")
    const options = {
      bundle: true,
      write: false,
      splitting: true,
      outdir: 'out',
      format: 'esm',
      platform: 'browser',
      metafile: true,
    } as const
    const { metafile, warnings } = await build({ entryPoints: [entry], logLevel: 'silent', ...options })
    const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
    expect([warnings, imports.filter(({ external }) => external)]).toEqual([[], []])
  })
})

describe('the tarball', () => {
  it('holds what is built and what a reader needs, and nothing else', () => {
    const needed = ['CHANGELOG.md', 'LICENSE', 'README.md', 'bench', 'dist', 'examples', 'package.json']
    const pages = ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs']
    const held = readdirSync(project.package)
    expect(held).toEqual(expect.arrayContaining(needed))
    expect([...needed, ...pages]).toEqual(expect.arrayContaining(held))
    // Of the benchmark only the report, which needs no program.
    expect(globSync('bench/**/*.*', { cwd: project.package }).filter((path) => !/\.(?:md|svg)$/.test(path))).toEqual([])
  })

  it('holds every file that exports names', () => {
    const held = globSync('**/*', { cwd: project.package }).map((path) => `./${path}`)
    expect(held).toEqual(expect.arrayContaining(filesOf(manifest().exports)))
  })
})

/** Where the links of a Markdown page lead inside the package or the repository, from its top. */
function linksIn(page: string, text: string): string[] {
  const prose = text.replaceAll(/^```[^]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '')
  const links = [...prose.matchAll(/\]\(([^)\s]+)|\b(?:href|src)="([^"]+)"|^\[[^\]]+\]:\s*(\S+)/gm)]
  return links
    .map(([, inline, attribute, definition]) => inline ?? attribute ?? definition ?? '')
    .filter((link) => !/^(?:[a-z][\w+.-]*:|#|\/\/)/i.test(link))
    .map((link) => posix.join(posix.dirname(page), link.replace(/[?#].*$/, '')))
}

/** Pages for those who change llmemo: they have the repository, and such a page may link to anything in it. */
const isForContributors = (page: string): boolean => /^(?:ARCHITECTURE|CONTRIBUTING|docs\/add-a-[\w-]+)\.md$/.test(page)

function pages(): string[] {
  return globSync('**/*.md', { cwd: project.package, exclude: ['node_modules/**'] })
}

describe('the pages in the tarball', () => {
  it('link only to files in the tarball', () => {
    expect(pages()).toEqual(expect.arrayContaining(['README.md', 'CHANGELOG.md', 'examples/README.md', 'bench/README.md']))
    const broken = pages().flatMap((page) => {
      const home = isForContributors(page) ? top : project.package
      const links = linksIn(page, readFileSync(join(project.package, page), 'utf8'))
      return links.filter((link) => !existsSync(join(home, link))).map((link) => `${page}: ${link}`)
    })
    expect(broken).toEqual([])
  })

  it('have links that the test finds', () => {
    const text = [
      '[a](./a.md#part "title") ![b](../b.svg)',
      '<img src="c.svg"> [d][d] [e](https://example.com) [f](#f) `[g](g.md)`',
      '```md\n[h](h.md)\n```',
      '[d]: d.md',
    ].join('\n')
    expect(linksIn('docs/page.md', text)).toEqual(['docs/a.md', 'b.svg', 'docs/c.svg', 'docs/d.md'])
  })
})

describe('the examples in the tarball', () => {
  it.each([
    ['quickstart', ['openai'], 'Run it again: the answers are in quickstart.db now.'],
    ['cache-aside', ['openai', 'zod'], '5 asked, 2 read'],
    ['embeddings', ['openai'], '9 texts, 2 of them sent'],
  ])('%s runs when it is copied as its page says', (name, packages, printed) => {
    const copy = install()
    try {
      for (const each of packages) copy.link(each)
      cpSync(join(copy.package, 'examples'), join(copy.folder, 'examples'), { recursive: true })
      writeFileSync(join(copy.folder, 'package.json'), '{ "type": "module" }')
      const env = { PATH: process.env['PATH'] ?? '', STAND_IN_SPEED: '50' }
      const flags = ['--disable-warning=ExperimentalWarning', `examples/${name}.ts`]
      expect(execFileSync(process.execPath, flags, { cwd: copy.folder, env, encoding: 'utf8' })).toContain(printed)
    } finally {
      copy.remove()
    }
  })
})

describe.each(subpaths())('%s', (subpath) => {
  it('exports the same names to import and to require', () => {
    const { names } = load('import', subpath)
    expect(names).not.toEqual([])
    expect(load('require', subpath).names).toEqual(names)
  })

  it('can be required where an ES module cannot, as on AWS Lambda with nodejs22.x', () => {
    expect(load('require', subpath, '--no-experimental-require-module').names).toEqual(load('import', subpath).names)
  })

  it.runIf(ownDoors.includes(subpath)).each(['import', 'require'] as const)(
    'loads by %s no SDK, no client of a store and no price table',
    (how) => {
      const { loaded } = load(how, subpath)
      const packages = loaded.flatMap((url) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? [])
      expect(packages).toContain('llmemo')
      expect(['llmemo', 'lru-cache', 'fflate']).toEqual(expect.arrayContaining(packages))
    },
  )
})

it('llmemo/otel loads nothing of OpenTelemetry', () => {
  expect(load('import', 'llmemo/otel').loaded.filter((url) => url.includes('opentelemetry'))).toEqual([])
})

it('llmemo does not load node:sqlite, which warns on Node 22', () => {
  expect(load('import', 'llmemo').loaded).not.toContain('node:sqlite')
  expect(load('require', 'llmemo').loaded).not.toContain('node:sqlite')
})

describe('the declarations', () => {
  it.each(['mts', 'cts'])('export every type that they use (%s)', (kind) => {
    const dist = join(project.package, 'dist')
    const files = globSync(`*.d.${kind}`, { cwd: dist }).map((file) => [file, readFileSync(join(dist, file), 'utf8')])
    const entries = subpaths().map((subpath) => `${subpath === 'llmemo' ? 'index' : subpath.replace('llmemo/', '')}.d.${kind}`)
    expect(unnameable(Object.fromEntries(files), entries)).toEqual([])
  })

  it('find a type that is used and not exported', () => {
    const files = {
      'index.d.mts': `import { t as Shared } from './shared.mjs'
        interface Hidden { a: string }
        declare function open(hidden: Hidden): Shared
        declare class Base<T> { of: T }
        declare class Derived extends Base<string> {}
        declare const Made: new () => object
        declare class Own extends Made {}
        declare function made(): typeof Made
        export { open, made, Derived, Own }`,
      'shared.d.mts': 'interface Shared { b: Promise<Deep> }\ninterface Deep { c: string }\nexport { Shared as t }',
    }
    expect(unnameable(files, ['index.d.mts']).toSorted()).toEqual([
      'Derived (index.d.mts) uses Base (index.d.mts)',
      'made (index.d.mts) uses Made (index.d.mts)',
      'open (index.d.mts) uses Hidden (index.d.mts)',
      'open (index.d.mts) uses Shared (shared.d.mts)',
    ])
    const all = { ...files, 'more.d.mts': "export { t as Shared } from './shared.mjs'" }
    expect(unnameable(all, ['index.d.mts', 'more.d.mts'])).toContain('Shared (shared.d.mts) uses Deep (shared.d.mts)')
  })

  it('compile without any SDK, and so do declarations made from them', () => {
    const lines = ownDoors.map((subpath, index) => {
      const values = load('import', subpath).names.map((name) => `export const ${name} = from${index}.${name}`)
      return [`import * as from${index} from '${subpath}'`, ...values].join('\n')
    })
    const { errors, declaration } = project.compile([...lines, 'export const cache = createCache()'].join('\n'))
    expect(errors).toBe('')
    expect(declaration).toMatch(/cache: .*Cache/)
  })

  it('compile with the peers that a store needs', () => {
    const { errors } = equipped.compile(`
      import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
      import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
      import { createCache } from 'llmemo'
      import { dynamodbStore } from 'llmemo/dynamodb'
      const client = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'eu-west-1' }))
      export const cache = createCache({ store: dynamodbStore(client, { tableName: 'answers' }) })
    `)
    expect(errors).toBe('')
  })

  it('of the AI SDK compile with each of its versions, and with none of them', () => {
    const source = `
      import { cacheEmbeddingMiddleware, cacheImageMiddleware, cacheMiddleware } from 'llmemo/ai-sdk'
      import { createCache } from 'llmemo'
      const cache = createCache()
      export const pictures = cacheImageMiddleware(cache, { specificationVersion: 'v2' }).specificationVersion satisfies 'v2'
      export const vectors = cacheEmbeddingMiddleware(cache, { specificationVersion: 'v3' }).specificationVersion satisfies 'v3'
      export const own = cacheMiddleware(cache, { ttl: '10m' }).specificationVersion satisfies 'v4'
      // @ts-expect-error: an option that does not exist
      export const wrong = cacheMiddleware(cache, { tenant: 'a' })
    `
    expect(project.compile(source).errors).toBe('')
    const versions = `
      import type { EmbeddingModelV4Middleware, ImageModelV4Middleware, LanguageModelV2Middleware, LanguageModelV3Middleware, LanguageModelV4Middleware } from '@ai-sdk/provider'
      export const v4: LanguageModelV4Middleware = cacheMiddleware(cache)
      export const v3: LanguageModelV3Middleware = cacheMiddleware(cache, { specificationVersion: 'v3' })
      export const v2: LanguageModelV2Middleware = cacheMiddleware(cache, { specificationVersion: 'v2' })
      export const embedding: EmbeddingModelV4Middleware = cacheEmbeddingMiddleware(cache)
      export const image: ImageModelV4Middleware = cacheImageMiddleware(cache)
    `
    for (const name of ['@ai-sdk/provider', 'json-schema']) equipped.link(name)
    expect(equipped.compile(`${source}${versions}`).errors).toBe('')
  })

  it('of LangChain compile with it', () => {
    const { errors } = equipped.compile(`
      import type { BaseCache } from '@langchain/core/caches'
      import { createCache } from 'llmemo'
      import { cacheModelCalls, LlmemoCache } from 'llmemo/langchain'
      export const cache: BaseCache = new LlmemoCache(createCache(), { wait: '5s' })
      export const hook = cacheModelCalls(createCache())
    `)
    expect(errors).toBe('')
  })

  it('of LangGraph compile with it', () => {
    equipped.link('@langchain/langgraph-checkpoint')
    const { errors } = equipped.compile(`
      import { type BaseCache, JsonPlusSerializer } from '@langchain/langgraph-checkpoint'
      import { createCache } from 'llmemo'
      import { LlmemoGraphCache } from 'llmemo/langchain'
      export const cache: BaseCache = new LlmemoGraphCache(createCache(), new JsonPlusSerializer())
    `)
    expect(errors).toBe('')
  })

  it('compile with the SDK and return the client in its own type', () => {
    project.link('openai')
    const { errors } = project.compile(`
      import OpenAI from 'openai'
      import { withCache } from 'llmemo'
      export const client = withCache(new OpenAI({ apiKey: 'x' }))
      export const same: OpenAI = client
      export const answer = await client.chat.completions.create({ model: 'm', messages: [] }, { bypassCache: true, cache: { ttl: '10m' } })
      export const hit: boolean = answer._cache.hit
      // @ts-expect-error: an option that does not exist
      export const wrong = client.chat.completions.create({ model: 'm', messages: [] }, { bypasCache: true })
    `)
    expect(errors).toBe('')
  })
})
