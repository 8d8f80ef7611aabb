import { execFile } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parseAst } from 'vitest/node'
import { top } from '../support/packed.ts'
import { countingFlags } from '../support/secrets/coverage.ts'
import { secret, keyBytes, tracesIn } from '../support/secrets/marker.ts'
import { sitesIn } from '../support/secrets/sites.ts'

/** What became of one case. */
interface Outcome {
  readonly file: string
  readonly name: string
  readonly failure: string
  readonly issued: number
  readonly reached: readonly string[]
  readonly leaks: readonly string[]
}

const sites = globSync('src/**/*.ts', { cwd: top })
  .toSorted()
  .flatMap((file) => {
    const source = readFileSync(join(top, file), 'utf8')
    return sitesIn(file, source, { ...parseAst(source, { lang: 'ts', sourceType: 'module' }) })
  })

/** Runs all cases on the source as it is, in a process of their own: V8 counts there which places ran. */
async function run(): Promise<{ readonly report: readonly Outcome[]; readonly rejected: readonly string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-sites-'))
  try {
    const list = join(folder, 'sites.json')
    writeFileSync(list, JSON.stringify(sites))
    const program = join(top, 'test/support/secrets/run.ts')
    const written = join(folder, 'report.json')
    await promisify(execFile)(process.execPath, [...countingFlags, program, list, top, written])
    return JSON.parse(readFileSync(written, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const { report, rejected } = await run()
const files = [...new Set(sites.map(({ file }) => file))]

/** The places in a source. */
function found(source: string): string[] {
  return sitesIn('a.ts', source, { ...parseAst(source, { lang: 'ts', sourceType: 'module' }) }).map(({ shown }) => shown)
}

describe('the search for places', () => {
  it('finds what makes an error, emits an event or logs', () => {
    expect(
      found("throw new StoreError('a')\nthis.#events.emit('hit', {})\nlogger.warn('b'); this.#warn('c')\nnotices.once('d', 'e')"),
    ).toEqual([
      "a.ts:1 new StoreError('a')",
      "a.ts:2 this.#events.emit('hit', {})",
      "a.ts:3 logger.warn('b')",
      "a.ts:3 this.#warn('c')",
      "a.ts:4 notices.once('d', 'e')",
    ])
    expect(found('new Map(); emitted(); warnings.push(1); error.message')).toEqual([])
    expect(sites.length).toBeGreaterThan(150)
  })
})

describe('the search for secrets', () => {
  it.each<[where: string, value: unknown]>([
    ['a text', `a ${secret('key')} b`],
    ['a part of a text', secret('key').slice(0, 10)],
    ['a message', new Error(secret('key'))],
    ['a cause', new Error('a', { cause: new Error(secret('key')) })],
    ['a hidden member', Object.defineProperty({}, 'a', { value: secret('key') })],
    [
      'a getter',
      {
        get a() {
          return secret('key')
        },
      },
    ],
    ['a name', { [secret('key')]: 1 }],
    ['a symbol', { a: Symbol(secret('key')) }],
    ['a map', new Map([[{}, { a: secret('key') }]])],
    ['base64', { a: Buffer.from(`ab${secret('key')}`).toString('base64') }],
    ['hex', Buffer.from(keyBytes).toString('hex').toUpperCase()],
    ['bytes', { a: new Uint8Array(keyBytes) }],
    ['numbers', keyBytes.join(', ')],
    ['what toJSON gives', { toJSON: () => secret('key') }],
  ])('finds one in %s', (_, value) => {
    expect(tracesIn(value)).not.toEqual([])
  })

  it('finds none where there is none', () => {
    expect(tracesIn([new Error('a', { cause: { b: new Map([[1, new Uint8Array(9)]]) } }), createdHere])).toEqual([])
  })
})

const createdHere = { a: () => 'a', b: Symbol('b') }

describe('what the source issues', () => {
  it('I7 G52 comes from no case that broke', () => {
    expect(report.filter(({ failure }) => failure !== '').map(({ file, name, failure }) => `${file}: ${name}: ${failure}`)).toEqual([])
    expect(rejected).toEqual([])
  })

  it.each(files)('I7 G52 all of it is provoked by the cases of %s', (file) => {
    const cases = report.filter((each) => each.file === file)
    const reached = new Set(cases.flatMap((each) => each.reached))
    const unreached = sites.filter((site) => site.file === file && !reached.has(site.shown)).map(({ shown }) => shown)
    // Add a case to test/support/secrets for each place that is listed here: it plants a secret and provokes the error, event or line.
    expect(unreached).toEqual([])
  })

  it.each(files)('I7 G52 nothing of it shows a secret: %s', (file) => {
    const cases = report.filter((each) => each.file === file)
    expect(cases.flatMap(({ name, leaks }) => leaks.map((leak) => `${name}: ${leak}`))).toEqual([])
  })

  it('I7 G52 has cases only of places that are there', () => {
    const known = new Set(files)
    expect(report.filter(({ file }) => !known.has(file)).map(({ file, name }) => `${file}: ${name}`)).toEqual([])
    expect(report.every(({ issued }) => issued > 0)).toBe(true)
  })
})
