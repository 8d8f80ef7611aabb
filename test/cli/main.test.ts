import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache } from '../../src/cache/cache.ts'
import { main, type Program } from '../../src/cli/main.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import { answer, ask, question } from '../support/chat.ts'

let folder: string
let store: string
const keys: string[] = []

/** Runs a command line. */
async function llmemo(...args: string[]) {
  return run(args)
}

async function run(args: readonly string[], { env = {}, input }: Pick<Partial<Program>, 'env' | 'input'> = {}) {
  const output: string[] = []
  const errors: string[] = []
  const progress: string[] = []
  const program = {
    env,
    ...(input && { input }),
    out: (text: string) => void output.push(text),
    error: (text: string) => void errors.push(text),
    progress: (text: string) => void progress.push(text),
  }
  const code = await main(args.includes('--store') ? args : [...args, '--store', `sqlite:${store}`], program)
  return { code, output: output.join('\n'), errors: errors.join('\n'), progress }
}

function widest(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length))
}

/** Writes a file into the folder of the test. @returns its path */
function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
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

  it('import puts back what export wrote: answers with their age, values, streams and bytes', async () => {
    const cache = open()
    await cache.set('mine', { at: 1 }, '1h')
    await cache.close()
    const { output } = await llmemo('export', '--body')
    const written = file('entries.jsonl', `${output}\n\n`)
    const other = ['--store', `sqlite:${join(folder, 'other.db')}`]
    expect(await run(['import', written, ...other])).toMatchObject({ code: 0, output: 'Imported 4 of 4 entries.', errors: '' })
    const exported = await run(['export', '--body', ...other])
    expect(exported.output.split('\n').toSorted()).toEqual(output.split('\n').toSorted())
    const moved = createCache({ store: sqliteStore(join(folder, 'other.db')), scope: 'tenant', logger: false, prices: false })
    expect(await ask(moved, question('b', { operation: 'qa', tags: ['doc:2'] }))).toBe('secret b')
    expect(await moved.get('mine')).toEqual({ at: 1 })
    await moved.invalidate({ tags: ['doc:1'] })
    const asked = await Promise.all(['a', 'b'].map((text) => ask(moved, question(text, { operation: 'qa' }))))
    expect(asked).toEqual([undefined, 'secret b'])
    await moved.close()
  })

  it('import reads the standard input, and says of each line that it refuses why', async () => {
    const [line = ''] = (await llmemo('export', '--body')).output.split('\n')
    const entry = JSON.parse(line)
    const lines = [
      entry,
      { ...entry, storedAt: 0 },
      { ...entry, namespace: 'other' },
      { ...entry, llmemo: 2 },
      { ...entry, key: 'short' },
      { ...entry, body: undefined },
      { ...entry, model: 1 },
      { ...entry, labels: [1] },
      [],
    ]
    const input = Readable.from([lines.map((each) => JSON.stringify(each)).join('\n'), '\nno JSON secret'])
    const { code, output, errors } = await run(['import', '-', '--store', `sqlite:${join(folder, 'other.db')}`], { input })
    expect({ code, errors }).toEqual({ code: 1, errors: '' })
    expect(output.split('\n').slice(0, 3)).toEqual(['Imported 1 of 10 entries.', '1 had expired.', '8 were refused:'])
    expect(output).toContain('entry 3: an entry cannot be imported: it belongs to another namespace')
    expect(output).not.toContain('secret')
  })

  it('import needs a file that can be read', async () => {
    for (const path of [join(folder, 'none'), folder]) expect(await llmemo('import', path)).toMatchObject({ code: 2, output: '' })
  })

  it('savings tells what hits saved, by what is asked for, and in total', async () => {
    const cache = createCache({ store: sqliteStore(store), scope: 'tenant', logger: false, savings: true })
    for (const text of ['a', 'a', 'b', 'none']) await ask(cache, question(text, { operation: 'qa' }))
    await ask(cache, question('c', { operation: 'summarize' }))
    await cache.close()
    const { code, output } = await llmemo('savings', '--by', 'operation', '--days', '2')
    expect(code).toBe(0)
    expect(output.split('\n').map((line) => line.split(/ {2,}/).slice(0, 3))).toEqual([
      ['operation', 'hits', 'rate'],
      ['qa', '3', '75 %'],
      ['summarize', '1', '100 %'],
      ['total', '4', '80 %'],
    ])
    expect(JSON.parse((await llmemo('savings', '--json')).output)).toMatchObject({ total: { hits: 4, misses: 1, savedTokens: 84 } })
    expect(await llmemo('savings', '--by', 'week')).toMatchObject({ code: 2 })
    expect((await llmemo('savings', '--namespace', 'none')).output).toMatch(/^Nothing from /)
  })

  it('explain tells the parts of a key, as a client with the same request has it', async () => {
    const { operation: _, ...request } = question('a', {})
    const path = file('request.json', JSON.stringify({ ...request, scope: 'tenant' }))
    const { code, output } = await llmemo('explain', path)
    expect(code).toBe(0)
    expect(output.replaceAll(/\n */g, '')).toContain(keys[0])
    expect(JSON.parse((await llmemo('explain', path, '--json')).output)).toMatchObject({ key: keys[0], parts: { scope: '"tenant"' } })
  })

  it('explain tells the first difference between two requests, or two bodies of an endpoint', async () => {
    const { body } = question('a', {})
    const [first, second] = [file('1.json', JSON.stringify(body)), file('2.json', JSON.stringify({ ...body, temperature: 0.7 }))]
    const found = await llmemo('explain', first, second, '--endpoint', 'chat.completions')
    expect(found).toMatchObject({
      code: 0,
      output: 'The keys differ, first at request.temperature:\n  first    (nothing)\n  second   0.7',
    })
    expect((await llmemo('explain', first, first, '--endpoint', 'chat.completions')).output).toBe('Both have the same key.')
    expect((await llmemo('explain', first)).errors).toContain('give --endpoint')
  })

  it.each([
    ['{', 'holds no JSON object'],
    ['[]', 'holds no JSON object'],
    ['{"endpoint":"none","body":{}}', 'endpoint'],
  ])('explain refuses a file with %s', async (content, why) => {
    const { code, errors } = await llmemo('explain', file('request.json', content))
    expect(code).toBe(2)
    expect(errors.replaceAll(/\n */g, ' ')).toContain(why)
  })

  it('doctor finds that a store is well, and leaves nothing in it', async () => {
    const { code, output } = await llmemo('doctor')
    expect(output).toMatch(/^ok +round trip +written, read and removed in [\d.]+ ms$/m)
    expect(output).toMatch(/^ok +encryption +3 answers looked at are not encrypted, as it is set$/m)
    expect(output).toMatch(/The store is well\.$/)
    expect(code).toBe(0)
    expect((await llmemo('ls')).output.split('\n')).toHaveLength(4)
  })

  it('doctor says what is wrong', async () => {
    const broken = await llmemo('doctor', '--store', 'redis://:secret@127.0.0.1:1')
    expect(broken).toMatchObject({ code: 1, output: expect.stringContaining('The store is not well: one thing to mend.') })
    expect(broken.output).toMatch(/^BAD +connection +\S/m)
    expect(broken.output + broken.errors).not.toContain('secret')
    expect(await llmemo('doctor', '--store', 'memory:')).toMatchObject({ code: 1, output: expect.stringContaining('none is given') })
  })

  it('doctor tells a key of encryption that does not fit', async () => {
    const [one, other] = ['1:'.padEnd(66, 'a'), '2:'.padEnd(66, 'b')]
    const sealed = createCache({
      store: sqliteStore(store),
      scope: 'tenant',
      namespace: 'sealed',
      encryption: { keys: { 1: 'a'.repeat(64) }, current: '1' },
      logger: false,
      prices: false,
    })
    await sealed.store(question('a', {}), answer('secret'))
    await sealed.close()
    const with1 = { env: { CACHE_ENCRYPTION_KEYS: one } }
    const with2 = { env: { CACHE_ENCRYPTION_KEYS: other } }
    const doctor = ['doctor', '--namespace', 'sealed']
    expect(await run(doctor, with1)).toMatchObject({ code: 0, output: expect.stringContaining('1 answers looked at are encrypted') })
    for (const wrong of [with2, {}]) {
      const { code, output } = await run(doctor, wrong)
      expect(code).toBe(1)
      expect(output).toMatch(/^BAD +encryption +1 of 1 answers: the entry is encrypted/m)
      expect(output.replaceAll(/\n */g, ' ')).toContain('Give all processes the same CACHE_ENCRYPTION_KEYS')
    }
  })

  it.each([
    [['nothing']],
    [[]],
    [['ls', '--nothing']],
    [['ls', '--limit', '0']],
    [['ls', '--older-than', 'long']],
    [['show']],
    [['explain']],
    [['explain', 'a', 'b', 'c']],
    [['import']],
    [['savings', '--days', 'many']],
    [['invalidate']],
    [['invalidate', '--tag', 'a', '--all']],
  ])('wrong usage has the exit code 2: %j', async (args) => {
    const { code, errors } = await llmemo(...args)
    expect(code).toBe(2)
    expect(errors).toMatch(/^llmemo: /)
  })

  it('everything that it prints is 80 columns wide', async () => {
    const cache = open()
    const long = 'summarise-the-minutes-of-the-board-of-directors'
    await cache.store(question('long', { operation: long, tags: ['doc:1', long.repeat(4)] }), { ...answer('long'), model: long })
    await cache.close()
    const request = file('request.json', JSON.stringify({ ...question('long '.repeat(100), {}), context: { long } }))
    const lines = [
      ['--help'],
      ['stats'],
      ['ls'],
      ['ls', '--tag', 'none'],
      ['show', keys[0] ?? ''],
      ['explain', request],
      ['explain', request, file('other.json', JSON.stringify({ text: long.repeat(5) }))],
      ['savings'],
      ['invalidate', '--tag', 'doc:1'],
      ['prune'],
      ['doctor'],
      ['doctor', '--store', 'redis://127.0.0.1:1'],
      ['ls', '--store', 'http://127.0.0.1:1'],
      ['ls', '--older-than', 'long'],
      ['none'],
    ]
    for (const line of lines) {
      const { output, errors } = await llmemo(...line)
      expect({ line, widest: Math.max(widest(output), widest(errors)) }).toEqual({ line, widest: expect.toSatisfy((size) => size <= 80) })
    }
  })

  it('looks into no store that is not there, and makes none', async () => {
    const path = join(folder, 'typo.db')
    for (const command of ['stats', 'ls', 'savings', 'prune', 'export', 'doctor']) {
      const { code, output, errors } = await llmemo(command, '--store', `sqlite:${path}`)
      expect({ command, code, output }).toEqual({ command, code: 1, output: '' })
      expect(errors).toContain('there is no file where the store should be')
    }
    expect(existsSync(path)).toBe(false)
    for (const store of [[], ['--store', 'memory:']]) {
      const errors: string[] = []
      const code = await main(['stats', ...store], { env: {}, out: () => undefined, error: (text) => void errors.push(text) })
      expect(code).toBe(2)
      expect(errors.join()).toContain('no store is given')
    }
    expect(await llmemo('ls', '--store', 'redis://127.0.0.1:1')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('llmemo doctor'),
    })
  })
})
