import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { assertBuilt, install, manifest, type Project, subpaths, top, typecheck } from '../support/packed.ts'

let project: Project

/** SDKs that are made like OpenAI's. */
const compatible = ['groq-sdk', 'together-ai', '@perplexity-ai/perplexity_ai']
const cerebras = '@cerebras/cerebras_cloud_sdk'

beforeAll(() => {
  assertBuilt()
  project = install()
  for (const name of ['zod', ...compatible]) project.link(name)
})

afterAll(() => project?.remove())

/** Installs in the project, as `name`, what lies under `from` in the repository's own `node_modules`; nothing where there is no `from`. */
function replace(name: string, from?: string): void {
  const installed = join(project.folder, 'node_modules', name)
  rmSync(installed, { force: true, recursive: true })
  mkdirSync(dirname(installed), { recursive: true })
  if (from !== undefined) symlinkSync(join(top, 'node_modules', from), installed, 'junction')
}

/**
 * Installs the SDK of Cerebras as a project of its own would have it. In this repository, its types would find those of another node-fetch, and
 * not compile.
 */
function installCerebras(): void {
  const from = join(top, 'node_modules', cerebras)
  cpSync(from, join(project.folder, 'node_modules', cerebras), { recursive: true, filter: (path) => !path.endsWith('node_modules') })
  for (const name of ['@types/node-fetch', 'form-data', 'formdata-node', 'agentkeepalive']) replace(name, name)
}

/** Compiles files of this folder, and whatever else is written into the project, as a user's project would. */
function errorsIn(files: readonly string[], more: Readonly<Record<string, string>> = {}): string {
  for (const name of files) copyFileSync(join(import.meta.dirname, name), join(project.folder, name))
  for (const [name, text] of Object.entries(more)) writeFileSync(join(project.folder, name), text)
  const output = { types: ['node'], declaration: true, emitDeclarationOnly: true, outDir: 'out' }
  const compilerOptions = { target: 'es2023', module: 'nodenext', strict: true, skipLibCheck: false, ...output }
  writeFileSync(join(project.folder, 'package.json'), JSON.stringify({ type: 'module' }))
  writeFileSync(join(project.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [...files, ...Object.keys(more)] }))
  return typecheck(project.folder)
}

/** What a module exports, the compiler must be able to name in a declaration of its own. */
const exporting = `
  import OpenAI, { AzureOpenAI } from 'openai'
  import { withCache } from 'llmemo'
  export class Own extends OpenAI { readonly team: string = 'support' }
  export const client = withCache(new OpenAI())
  export const azure = withCache(new AzureOpenAI())
  export const own = withCache(new Own())
  export const answer = await client.chat.completions.create({ model: 'm', messages: [] })
  export const make = () => ({ client: withCache(new OpenAI()).withOptions({}) })
`

const openai = ['openai.test-d.ts', 'openai-6.test-d.ts', 'openai-7.test-d.ts']

it.each([
  ['openai5', openai.slice(0, 1)],
  ['openai6', openai.slice(0, 2)],
  ['openai', openai],
])('the built package gives a client of %s its types, where there is no other SDK', (name, files) => {
  replace('openai', name)
  expect(errorsIn(files, { 'exporting.ts': exporting, 'required.cts': exporting.replace('await ', '') })).toBe('')
})

const exportingAnthropic = `
  import Anthropic from '@anthropic-ai/sdk'
  import { withCache } from 'llmemo'
  export class Own extends Anthropic { readonly team: string = 'support' }
  export const client = withCache(new Anthropic())
  export const own = withCache(new Own())
  export const answer = await client.messages.create({ model: 'm', max_tokens: 1, messages: [] })
  export const make = () => ({ client: withCache(new Anthropic()).withOptions({}) })
`

it.each([
  ['anthropic060', ['anthropic.test-d.ts']],
  ['anthropic0', ['anthropic.test-d.ts', 'anthropic-newer.test-d.ts']],
  ['@anthropic-ai/sdk', ['anthropic.test-d.ts', 'anthropic-newer.test-d.ts', 'anthropic-clouds.test-d.ts']],
])('the built package gives a client of %s its types, where there is no other SDK', (name, files) => {
  replace('openai')
  replace('@anthropic-ai/sdk', name)
  replace('@anthropic-ai/bedrock-sdk', '@anthropic-ai/bedrock-sdk')
  expect(errorsIn(files, { 'exporting.ts': exportingAnthropic, 'required.cts': exportingAnthropic.replace('await ', '') })).toBe('')
})

const exportingBedrock = `
  import { BedrockRuntime, BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
  import { withCache } from 'llmemo'
  export const client = withCache(new BedrockRuntimeClient())
  export const methods = withCache(new BedrockRuntime())
  export const answer = await client.send(new ConverseCommand({ modelId: 'm' }), { cache: { ttl: '1h' } })
  export const make = () => ({ client: withCache(new BedrockRuntimeClient()) })
`

it('the built package gives a Bedrock client its types, where there is no other SDK', () => {
  for (const name of ['openai', '@anthropic-ai/sdk', '@anthropic-ai/bedrock-sdk']) replace(name)
  for (const name of ['@aws-sdk/client-bedrock-runtime', '@aws-sdk/client-dynamodb']) replace(name, name)
  const more = { 'exporting.ts': exportingBedrock, 'required.cts': exportingBedrock.replace('await ', '') }
  expect(errorsIn(['bedrock.test-d.ts'], more)).toBe('')
})

it.each([
  ['groq-sdk', 'Groq', 'groq.test-d.ts'],
  ['together-ai', 'Together', 'together.test-d.ts'],
  ['@perplexity-ai/perplexity_ai', 'Perplexity', 'perplexity.test-d.ts'],
  [cerebras, 'Cerebras', 'cerebras.test-d.ts'],
])('G31 the built package gives a client of %s its types, where there is no other SDK', (name, client, file) => {
  for (const other of ['openai', '@anthropic-ai/sdk', '@anthropic-ai/bedrock-sdk', '@aws-sdk/client-bedrock-runtime']) replace(other)
  for (const other of [...compatible, cerebras]) replace(other, other === name && name !== cerebras ? name : undefined)
  if (name === cerebras) installCerebras()
  // The SDK of Cerebras makes no copies of a client.
  const copy = client === 'Cerebras' ? '' : '.withOptions({})'
  const exporting = `
    import { ${client} } from '${name}'
    import { withCache } from 'llmemo'
    export const client = withCache(new ${client}())
    export const make = () => ({ client: withCache(new ${client}())${copy} })
  `
  expect(errorsIn([file], { 'exporting.ts': exporting, 'required.cts': exporting })).toBe('')
  replace(name)
})

/** What a user writes with each package of a client for Redis. */
const redisClients: Readonly<Record<string, string>> = {
  ioredis: `
    import { Cluster, Redis } from 'ioredis'
    const first = new Redis()
    export const stores: readonly Store[] = [redisStore(first, { subscriber: first.duplicate() }), redisStore(new Cluster([]))]`,
  redis: `
    import { createClient, createClientPool, createCluster, createSentinel } from 'redis'
    const first = createClient()
    export const stores: readonly Store[] = [
      redisStore(first, { subscriber: first.duplicate(), keyPrefix: 'a:' }),
      redisStore(createClient({ RESP: 2 })),
      redisStore(createClientPool()),
      redisStore(createCluster({ rootNodes: [] })),
      redisStore(createSentinel({ name: 'n', sentinelRootNodes: [] })),
    ]`,
  '@upstash/redis': `
    import { Redis } from '@upstash/redis'
    export const stores: readonly Store[] = [redisStore(Redis.fromEnv())]`,
  '@valkey/valkey-glide': `
    import { GlideClient, GlideClusterClient } from '@valkey/valkey-glide'
    const addresses = [{ host: 'h' }]
    const first = await GlideClient.createClient({ addresses })
    export const stores: readonly Store[] = [redisStore(first, { subscriber: first }), redisStore(await GlideClusterClient.createClient({ addresses }))]`,
}

it.each(Object.keys(redisClients).concat('redis5'))('the built package takes clients of %s, and compiles without it', (name) => {
  const packages = Object.keys(redisClients)
  const installed = name === 'redis5' ? 'redis' : name
  for (const each of packages) replace(each, each === installed ? name : undefined)
  const using = `
    import type { Store } from 'llmemo'
    import { redisStore } from 'llmemo/redis'
    ${redisClients[installed] ?? ''}
    // @ts-expect-error: what is no client
    redisStore({})
  `
  expect(errorsIn([], { 'using.ts': using })).toBe('')
  replace(installed)
  const absent =
    "import { redisStore } from 'llmemo/redis'\nexport const make: (...given: Parameters<typeof redisStore>) => object = redisStore"
  expect(errorsIn([], { 'absent.ts': absent })).toBe('')
})

/** Compiles a module of this text with a compiler of the repository and these options. */
function errorsOf(source: string, compilerOptions: object, compiler = 'typescript'): string {
  writeFileSync(join(project.folder, 'own.ts'), source)
  const strict = { target: 'es2022', strict: true, noEmit: true, types: [], lib: ['es2022', 'dom', 'dom.iterable'] }
  writeFileSync(
    join(project.folder, 'tsconfig.own.json'),
    JSON.stringify({ compilerOptions: { ...strict, ...compilerOptions }, files: ['own.ts'] }),
  )
  const program = join(top, 'node_modules', compiler, 'bin/tsc')
  return spawnSync(process.execPath, [program, '-p', 'tsconfig.own.json', '--pretty', 'false'], { cwd: project.folder, encoding: 'utf8' })
    .stdout
}

it('G31 the built package compiles without Node’s types, where the compiler knows no `Symbol.asyncDispose`', () => {
  const source = `
    import { cachingFetch, createCache } from 'llmemo'
    export const cache = createCache({ ttl: '10m' })
    export const closed: Promise<void> = cache.close()
    export const fetching: typeof fetch = cachingFetch(cache)
  `
  expect(errorsOf(source, { module: 'nodenext' })).toBe('')
})

it('G31 `cachingFetch` gives a `fetch` with the members that the runtime’s types name, such as `preconnect` of Bun', () => {
  const source = `
    import { cachingFetch, createCache } from 'llmemo'
    declare global { namespace fetch { function preconnect(url: string): void } }
    export const fetching: typeof globalThis.fetch = cachingFetch(createCache(), (input, init) => fetch(input, init))
    export const given: typeof globalThis.fetch = cachingFetch(createCache())
  `
  expect(errorsOf(source, { module: 'nodenext' })).toBe('')
})

it.each(subpaths())('G31 %s is found by a compiler with `moduleResolution: node10`', (subpath) => {
  const source = `
    import * as door from '${subpath}'
    export const names: readonly string[] = Object.keys(door)
    // @ts-expect-error: the module has types
    door.nope
  `
  const options = { module: 'commonjs', moduleResolution: 'node10', skipLibCheck: true }
  expect(errorsOf(source, options, '@arethetypeswrong/core/node_modules/typescript')).toBe('')
})

it('the built package leaves another client its type where no SDK is installed', () => {
  for (const name of ['openai', '@anthropic-ai/sdk', '@anthropic-ai/bedrock-sdk']) replace(name)
  for (const name of ['@aws-sdk/client-bedrock-runtime', '@aws-sdk/client-dynamodb']) replace(name)
  const foreign = `
    import { type Cached, withCache } from 'llmemo'
    class Foreign { #hidden = 1; read(): number { return this.#hidden } }
    export const client = withCache(new Foreign())
    export const same: Foreign = client
    export const named: Cached<Foreign> = client
    export const read: number = client.read()
    // @ts-expect-error: neither is it any
    client.nope
  `
  expect(errorsIn([], { 'foreign.ts': foreign, 'required.cts': foreign })).toBe('')
})

it('the built package compiles at each of its doors, where none of the packages is installed that they work with', () => {
  const peers = Object.keys(manifest().peerDependencies)
  expect(peers).toContain('@langchain/core')
  for (const name of [...peers, ...compatible, cerebras, '@google/genai', 'zod']) replace(name)
  const doors = subpaths().map((path, index) => `export * as door${index} from '${path}'`)
  expect(doors.length).toBeGreaterThan(10)
  expect(errorsIn([], { 'doors.ts': doors.join('\n') })).toBe('')
})
