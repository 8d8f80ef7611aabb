/**
 * What it takes to load each, how large each is when bundled, and when a bundled Lambda handler has answered its first event.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { round } from '../harness/by-size.ts'
import type { Row, Run } from '../harness/report.ts'
import { median, percentile } from '../harness/statistics.ts'
import { bytes, duration } from '../harness/table.ts'

const top = join(import.meta.dirname, '..', '..')
/** Peers and what only a store needs: with the user anyway. */
const external = ['@aws-sdk/*', '@anthropic-ai/sdk', 'openai', 'ioredis', 'better-sqlite3']

/** The one dependency that is loaded with the core. How fast the machine is tells its import. */
const dependency = 'for comparison: lru-cache'

/** What is loaded and bundled: a name, and the text of a module. */
const doors: readonly (readonly [string, string])[] = [
  ...['index', 'redis', 'dynamodb', 'sqlite', 'testing'].map((name): [string, string] => [
    name === 'index' ? 'llmemo' : `llmemo/${name}`,
    `export * from ${JSON.stringify(join(top, 'dist', `${name}.mjs`))}`,
  ]),
  [
    'bentocache, with its drivers',
    "export * from 'bentocache'; export * from 'bentocache/drivers/memory'; export * from 'bentocache/drivers/redis'",
  ],
  ['cacheable', "export * from 'cacheable'"],
  ['llm-cacher', "export * from 'llm-cacher'"],
  [
    'ai and @ai-sdk/openai',
    "export { generateText, streamText, wrapLanguageModel } from 'ai'; export { createOpenAI } from '@ai-sdk/openai'",
  ],
  ['LangChain ChatOpenAI', "export { ChatOpenAI } from '@langchain/openai'; export { InMemoryCache } from '@langchain/core/caches'"],
  ['for comparison: openai', "export { default } from 'openai'"],
  [dependency, "export * from 'lru-cache'"],
  ['for comparison: an empty module', "export * from 'data:text/javascript,'"],
]

/** Import time, bundled size, cold start. */
export const importAndSize: Row = {
  name: 'import-and-size',
  title: 'Import time, bundled size, cold start',
  async run(run) {
    const folder = mkdtempSync(join(tmpdir(), 'llmemo-bench-'))
    try {
      const loading = load(run)
      const sizes = await bundle()
      const cold = await coldStart(run, folder)
      const ours = loading.get('llmemo') ?? []
      return {
        tables: [
          {
            caption: 'Each loaded in a process of its own, and bundled by esbuild: minified, SDKs and clients of stores left out.',
            table: {
              header: ['', 'import', 'p99', '× lru-cache', 'bundled', 'gzip'],
              rows: doors.map(([name]) => {
                const times = loading.get(name) ?? []
                const size = sizes.get(name)
                return [
                  name,
                  duration(median(times) * 1_000),
                  duration(percentile(times, 0.99) * 1_000),
                  (median(times) / median(loading.get(dependency) ?? [])).toFixed(2),
                  size === undefined ? '–' : bytes(size.bundled),
                  size === undefined ? '–' : bytes(size.gzip),
                ]
              }),
            },
          },
          {
            caption: 'A bundled Lambda handler over Bedrock: from the start of the process. AWS answers at once.',
            table: {
              header: ['', 'bundle', 'loaded', 'first answer', 'p99'],
              rows: cold.map(({ name, size, loaded, answered }) => [
                name,
                bytes(size),
                duration(median(loaded) * 1_000),
                duration(median(answered) * 1_000),
                duration(percentile(answered, 0.99) * 1_000),
              ]),
            },
          },
        ],
        notes: ['A module is loaded from the disk’s cache, by Node.js without its compile cache.'],
        budgets: [
          { what: "import 'llmemo'", measured: median(ours), limit: 10, unit: 'ms' },
          {
            what: 'bundle of the core, minified and gzipped, without the price table',
            measured: (sizes.get('llmemo')?.gzip ?? Number.NaN) / 1_000,
            limit: 45,
            unit: 'KB',
          },
        ],
        figures: {
          doors: doors.map(([name]) => ({ name, milliseconds: round(median(loading.get(name) ?? [])), ...sizes.get(name) })),
          cold: cold.map(({ name, size, loaded, answered }) => ({
            name,
            size,
            loaded: round(median(loaded)),
            answered: round(median(answered)),
          })),
        },
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** Milliseconds that each import took, in as many processes, by turns. */
function load({ isQuick }: Run): Map<string, number[]> {
  const times = new Map<string, number[]>(doors.map(([name]) => [name, []]))
  for (let round = 0; round < (isQuick ? 9 : 21); round++) {
    for (const [name, source] of doors) {
      // The rest are shown in a quick look, and not held against a budget.
      if (isQuick && round > 0 && name !== 'llmemo' && name !== dependency) continue
      const imports = [...source.matchAll(/from (['"][^'"]+['"])/g)].map(([, path]) => `await import(${path})`).join(';')
      const script = `const start = performance.now(); ${imports}; console.log(performance.now() - start); process.exit()`
      const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script]
      times.get(name)?.push(Number(execFileSync(process.execPath, flags, { cwd: join(top, 'bench'), encoding: 'utf8' })))
    }
  }
  return times
}

/** Bytes of each, bundled. */
async function bundle(): Promise<Map<string, { bundled: number; gzip: number }>> {
  const sizes = new Map<string, { bundled: number; gzip: number }>()
  for (const [name, contents] of doors) {
    if (name.startsWith('for comparison')) continue
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: join(top, 'bench'), loader: 'ts' },
      bundle: true,
      minify: true,
      write: false,
      platform: 'node',
      target: 'node22',
      format: 'esm',
      // The price table is loaded when a first answer has to be priced, as a file of its own.
      external: [...external, '@pydantic/genai-prices'],
      logLevel: 'error',
    })
    const [file] = outputFiles
    if (file !== undefined) sizes.set(name, { bundled: file.contents.length, gzip: gzipSync(file.contents).length })
  }
  return sizes
}

interface Start {
  readonly name: string
  readonly size: number
  readonly loaded: number[]
  readonly answered: number[]
}

/** When the bundled handlers have loaded and answered. */
async function coldStart({ isQuick }: Run, folder: string): Promise<Start[]> {
  const handlers = [
    ['Bedrock alone', 'bare'],
    ['with llmemo in memory', 'memory'],
    ['with llmemo over DynamoDB', 'dynamodb'],
  ] as const
  const starts: (Start & { readonly file: string })[] = []
  for (const [name, source] of handlers) {
    const file = join(folder, `${source}.cjs`)
    await build({
      entryPoints: [join(top, 'bench', 'handlers', `${source}.ts`)],
      outfile: file,
      bundle: true,
      minify: true,
      platform: 'node',
      target: 'node22',
      format: 'cjs',
      logLevel: 'error',
    })
    starts.push({ name, file, size: readFileSync(file).length, loaded: [], answered: [] })
  }
  for (let round = 0; round < (isQuick ? 1 : 21); round++) {
    for (const { file, loaded, answered } of starts) {
      const [first, last] = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', file], { encoding: 'utf8' }).split(' ')
      loaded.push(Number(first))
      answered.push(Number(last))
    }
  }
  return starts
}
