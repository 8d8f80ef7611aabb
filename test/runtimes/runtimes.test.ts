import { AsyncLocalStorage } from 'node:async_hooks'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build, type BuildOptions } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isJsonObject } from '../../src/json/object.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { namedModulesIn, page, writeTree } from '../docs/pages.ts'
import { chunksOf, completion } from '../support/openai-answers.ts'
import { assertBuilt, install, type Project, top, typecheck } from '../support/packed.ts'
import { type ProviderReply, type ProviderRequest, type ProviderServer, startProvider } from '../support/provider-server.ts'
import { command, conformance, edgeFunction, worker } from './entries.ts'
import { programIn, startEdge, startWorker, versionOf } from './packages.ts'

const run = promisify(execFile)
/** Long answers, each another one. The first question that is to fail does so, for each process that asks it. */
function provider() {
  let asked = 0
  let failed = false
  return ({ body }: ProviderRequest, reply: ProviderReply): unknown => {
    asked += 1
    const text = `Answer ${asked}. ${'Prose that deflates well. '.repeat(300)}`
    if (JSON.stringify(body).includes('fail once') && !failed) {
      failed = true
      return reply.json({ error: { message: 'no' } }, { status: 500 })
    }
    if (isJsonObject(body) && body['stream'] === true) return reply.events(chunksOf(text).flat())
    return reply.json(completion(text))
  }
}

/** What is seen in a runtime that has everything. */
const all = {
  'a second call': [false, true, 'memory', true],
  'a stream of a whole answer': true,
  'a whole answer of a stream': [true, true, true],
  'equal calls at once': 1,
  'another scope': false,
  'an invalidated tag': [true, false],
  'a bypass': false,
  'an error': [500, false],
  cachingFetch: ['llmemo; fwd=miss; stored', ' hit', true],
  values: [{ text: 'Grüße' }, { text: 'Grüße' }],
  'tokens saved': true,
  'everything written': true,
  'another cache over the same store': ['own', true, true],
  'options of a request, by cache.with': 'tenant',
  encryption: 'own',
  'log lines': [],
}
/** How often the provider is asked for all that: once for each question, twice for what was invalidated, by-passed or failed. */
const calls = 12
const noEncryption = expect.stringContaining('option "encryption" is given; allowed is none in this runtime')
const noStorage = expect.stringMatching(/AsyncLocalStorage/)

/** One file of the program and all that it needs, as the tools of a platform make it. No package that is missing may be asked for. */
async function bundle(entry: string, options: BuildOptions): Promise<string> {
  const { outputFiles = [], warnings } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    logLevel: 'silent',
    logOverride: { 'empty-import-meta': 'silent' },
    ...options,
  })
  expect(warnings).toEqual([])
  return outputFiles[0]?.text ?? ''
}

async function dispatch(text: string, compatibilityFlags: string[], compatibilityDate = '2026-07-01'): Promise<unknown> {
  const miniflare = startWorker({ modules: true, script: text, compatibilityDate, compatibilityFlags })
  try {
    const response = await miniflare.dispatchFetch('http://worker.test/')
    return await response.json()
  } finally {
    await miniflare.dispose()
  }
}

describe('a program that is not of Node.js', () => {
  let server: ProviderServer
  let project: Project

  beforeAll(async () => {
    assertBuilt()
    server = await startProvider()
    project = install()
    project.link('openai')
    writeFileSync(join(project.folder, 'package.json'), JSON.stringify({ type: 'module' }))
    writeFileSync(join(project.folder, 'behaviours.ts'), readFileSync(join(import.meta.dirname, 'behaviours.ts')))
  })
  afterAll(async () => {
    project.remove()
    await server.close()
  })

  function write(name: string, source: (url: string) => string): string {
    server.respond(provider())
    const path = join(project.folder, name)
    writeFileSync(path, source(`${server.url}/v1`))
    return path
  }

  it.each([
    ['Node.js', process.version, process.execPath, []],
    ['Bun', versionOf('bun'), programIn('@oven/bun-*/bin/bun{,.exe}'), []],
    ['Deno', versionOf('deno'), programIn('@deno/*/deno{,.exe}'), ['run', '--allow-all', '--no-remote', '--node-modules-dir=manual']],
  ])('runs in %s %s', async (name, _version, path, flags) => {
    if (path === undefined) throw new Error(`There is no package of ${name} for this platform`)
    const before = server.requests.length
    const { stdout } = await run(path, [...flags, write('main.ts', command)], { cwd: project.folder })
    expect(JSON.parse(stdout)).toEqual(all)
    expect(server.requests.length - before).toBe(calls)
  })

  const workerd = `workerd ${versionOf('workerd')}`

  it(`runs in ${workerd} with nodejs_compat`, async () => {
    const text = await bundle(write('worker.ts', worker), { format: 'esm', platform: 'node', conditions: ['workerd', 'worker', 'browser'] })
    expect(await dispatch(text, ['nodejs_compat'])).toEqual(all)
  })

  it.each(['2026-07-01', '2024-09-01'])(`runs in ${workerd} without modules of Node.js, as of %s`, async (date) => {
    const before = server.requests.length
    const options: BuildOptions = { format: 'esm', platform: 'browser', conditions: ['workerd', 'worker', 'browser'] }
    const text = await bundle(write('worker.ts', worker), options)
    const expected = { ...all, encryption: noEncryption, 'options of a request, by cache.with': noStorage }
    expect(await dispatch(text, [], date)).toEqual(expected)
    expect(server.requests.length - before).toBe(calls - 2)
  })

  it.each([
    ['as it is', {}, noStorage],
    ['with what Next.js adds to it', { AsyncLocalStorage }, 'tenant'],
  ])(`runs in the edge runtime ${versionOf('@edge-runtime/vm')} %s`, async (_name, more, tenant) => {
    const options: BuildOptions = { format: 'iife', platform: 'browser', conditions: ['edge-light', 'worker', 'browser'] }
    const edge = startEdge(more)
    edge.evaluate(await bundle(write('edge.ts', edgeFunction), options))
    const report: unknown = await (await edge.dispatchFetch('http://edge.test/')).json()
    expect(report).toEqual({ ...all, encryption: noEncryption, 'options of a request, by cache.with': tenant })
  })
})

describe('docs/runtimes.md', () => {
  const files = namedModulesIn(page('docs/runtimes.md'))
  const folder = writeTree('runtimes', files)

  it('has lines that compile as they stand', () => {
    expect(Object.keys(files)).toEqual(['worker.ts', 'kv-store.ts', 'cache-api-store.ts'])
    expect(typecheck(folder)).toBe('')
  })

  it.each([[], ['nodejs_compat']])('has a worker that is answered from KV in its next request (%s)', async (...flags) => {
    const server = await startProvider(provider())
    const { outputFiles } = await build({
      entryPoints: [join(folder, 'worker.ts')],
      alias: { llmemo: join(top, 'dist/index.mjs') },
      bundle: true,
      write: false,
      format: 'esm',
      platform: flags.length === 0 ? 'browser' : 'node',
      conditions: ['workerd', 'worker', 'browser'],
    })
    const miniflare = startWorker({
      modules: true,
      script: outputFiles[0]?.text ?? '',
      compatibilityDate: '2026-07-01',
      compatibilityFlags: flags,
      kvNamespaces: ['ANSWERS'],
      bindings: { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: `${server.url}/v1` },
    })
    try {
      const ask = async (body: string): Promise<unknown> =>
        (await miniflare.dispatchFetch('http://worker.test/', { method: 'POST', body })).json()
      const first = await ask('Why is the sky blue?')
      expect(first).toEqual({ text: expect.stringContaining('Answer 1.'), source: 'origin' })
      const values = await miniflare.getKVNamespace('ANSWERS')
      await expect.poll(async () => (await values.list()).keys.length, { timeout: 60_000 }).toBeGreaterThan(2)
      expect(await ask('Why is the sky blue?')).toEqual({ ...Object(first), source: 'kv' })
      expect(server.requests).toHaveLength(1)
    } finally {
      await miniflare.dispose()
      await server.close()
    }
  })

  it.each(['kvStore(await environment.ANSWERS, now)', 'cacheApiStore(caches.default, now)'])(
    'has stores that do what a store must, in workerd: %s',
    async (store) => {
      const { outputFiles } = await build({
        stdin: { contents: conformance(store), resolveDir: folder, loader: 'ts' },
        alias: { 'llmemo/testing': join(top, 'dist/testing.mjs'), llmemo: join(top, 'dist/index.mjs') },
        bundle: true,
        write: false,
        format: 'esm',
        platform: 'node',
      })
      const miniflare = startWorker({
        modules: true,
        script: outputFiles[0]?.text ?? '',
        compatibilityDate: '2026-07-01',
        compatibilityFlags: ['nodejs_compat'],
        kvNamespaces: ['ANSWERS'],
      })
      try {
        const told: unknown = await (await miniflare.dispatchFetch('http://worker.test/')).json()
        expect(told).toEqual({ passed: storeConformance.length, failed: [] })
      } finally {
        await miniflare.dispose()
      }
    },
  )
})
