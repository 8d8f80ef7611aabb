import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache } from '../../src/cache/cache.ts'
import { main } from '../../src/cli/main.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import { answer, ask, question } from '../support/chat.ts'

let folder: string
let store: string
const keys: string[] = []

/** Runs a command line. */
async function llmemo(...args: string[]) {
  const output: string[] = []
  const errors: string[] = []
  const terminal = { env: {}, out: (text: string) => void output.push(text), error: (text: string) => void errors.push(text) }
  const code = await main(args.includes('--store') ? args : [...args, '--store', `sqlite:${store}`], terminal)
  return { code, output: output.join('\n'), errors: errors.join('\n') }
}

function open() {
  return createCache({ store: sqliteStore(store), scope: 'tenant', logger: false, prices: false })
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'llmemo-cli-'))
  store = join(folder, 'answers.db')
  const cache = open()
  keys.length = 0
  for (const [text, operation, tag] of [
    ['a', 'qa', 'doc:1'],
    ['b', 'qa', 'doc:2'],
    ['c', 'summarize', 'doc:1'],
  ] as const) {
    keys.push((await cache.store(question(text, { operation, tags: [tag] }), answer(`secret ${text}`))).key)
  }
  await cache.close()
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('llmemo', () => {
  it('stats counts entries by operation', async () => {
    const bytes = JSON.stringify(answer('secret a')).length
    expect(JSON.parse((await llmemo('stats', '--json')).output)).toEqual({
      qa: { entries: 2, bytes: 2 * bytes, fresh: 2, tokens: 42 },
      summarize: { entries: 1, bytes, fresh: 1, tokens: 21 },
    })
    expect((await llmemo('stats')).output).toMatch(/^qa +2 +2 /m)
  })

  it('ls lists heads within 80 columns, by filters and up to a limit', async () => {
    const all = await llmemo('ls')
    expect(all.output.split('\n')).toHaveLength(4)
    expect(Math.max(...all.output.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    expect((await llmemo('ls', '--tag', 'doc:1', '--operation', 'qa')).output).toContain(keys[0]?.slice(0, 12))
    expect((await llmemo('ls', '--limit', '1')).output).toContain('The first 1')
    expect((await llmemo('ls', '--older-than', '1h')).output).toBe('No entry matches.')
  })

  it('show tells the head, and the body only if it is asked for', async () => {
    const [key = ''] = keys
    const head = await llmemo('show', key.slice(0, 12))
    expect(head.output).toContain('doc:1')
    expect(head.output).not.toContain('secret')
    expect((await llmemo('show', key, '--body')).output).toContain('secret a')
    expect((await llmemo('show', 'ffffffffffffffff')).code).toBe(1)
  })

  it('invalidate tells first what it would remove, and does it with --yes', async () => {
    expect((await llmemo('invalidate', '--tag', 'doc:1')).output).toBe(
      'This would invalidate 2 of the entries that are listed. Add --yes to do it.',
    )
    const before = open()
    expect(await ask(before, question('a', { operation: 'qa' }))).toBe('secret a')
    await before.close()
    expect(await llmemo('invalidate', '--tag', 'doc:1', '--yes')).toMatchObject({ code: 0, errors: '' })
    const after = open()
    const asked = ['a', 'b'].map((text) => ask(after, question(text, { operation: 'qa' })))
    expect(await Promise.all(asked)).toEqual([undefined, 'secret b'])
    await after.close()
  })

  it('prune removes what is older than given', async () => {
    expect((await llmemo('prune')).output).toBe('This would remove 0 entries. Add --yes to do it.')
    expect((await llmemo('prune', '--older-than', '1ms', '--operation', 'qa', '--yes')).output).toBe('Removed 2 of 2 entries.')
    expect((await llmemo('ls')).output.split('\n')).toHaveLength(2)
  })

  it('export writes one JSON line an entry', async () => {
    const lines = (await llmemo('export', '--body')).output.split('\n')
    const bodies = lines.map((line) => JSON.parse(String(Reflect.get(Object(JSON.parse(line)), 'body'))))
    expect(bodies).toHaveLength(3)
    expect(bodies).toContainEqual(answer('secret b'))
    expect((await llmemo('export')).output).not.toContain('secret')
  })

  it('doctor finds that a store is well, and leaves nothing in it', async () => {
    expect(await llmemo('doctor')).toMatchObject({ code: 0, output: expect.stringMatching(/found in sqlite[^]*The store is well\./) })
    expect((await llmemo('ls')).output.split('\n')).toHaveLength(4)
  })

  it('doctor says what is wrong', async () => {
    const broken = await llmemo('doctor', '--store', 'redis://:secret@127.0.0.1:1')
    expect(broken).toMatchObject({ code: 1, output: expect.stringContaining('The store is not well') })
    expect(broken.output).toMatch(/^fault +write: llmemo: /m)
    expect(broken.output + broken.errors).not.toContain('secret')
    expect(await llmemo('doctor', '--store', 'memory:')).toMatchObject({ code: 1, output: expect.stringContaining('no store is given') })
  })

  it.each([
    [['nothing']],
    [[]],
    [['ls', '--nothing']],
    [['ls', '--limit', '0']],
    [['ls', '--older-than', 'long']],
    [['show']],
    [['invalidate']],
    [['invalidate', '--tag', 'a', '--all']],
  ])('wrong usage has the exit code 2: %j', async (args) => {
    const { code, errors } = await llmemo(...args)
    expect(code).toBe(2)
    expect(errors).toMatch(/^llmemo: /)
  })

  it('help is 80 columns wide', async () => {
    const { code, output } = await llmemo('--help')
    expect(code).toBe(0)
    expect(Math.max(...output.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })
})
