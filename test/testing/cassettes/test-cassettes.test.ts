import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { cassetteStore, testCassettes } from '../../../src/testing/index.ts'
import { top } from '../../support/packed.ts'

/** What was read when this file was collected, before any test ran. */
const collected = testCassettes({ afterAll: () => undefined }).folder
const own = join(import.meta.dirname, '__cassettes__', 'test-cassettes.test')

afterEach(() => vi.unstubAllGlobals())

describe('the cassettes of a test file', () => {
  it('V06 lie in a folder named after it, as Vitest says', () => {
    expect([collected, testCassettes({ afterAll: () => undefined }).folder]).toEqual([own, own])
  })

  it('V06 or after the file that is given, as a URL or a path', () => {
    const url = pathToFileURL('/tests/answers.test.ts')
    const expected = '/tests/__cassettes__/answers.test'
    expect([url, url.href, '/tests/answers.test.ts'].map((file) => testCassettes({ file, afterAll: () => undefined }).folder)).toEqual([
      expected,
      expected,
      expected,
    ])
  })

  it('V06 or as the globals of Jest say, whose hook is found too', () => {
    const hooks: unknown[] = []
    vi.stubGlobal('afterAll', (hook: unknown) => hooks.push(hook))
    // Jest has only this one.
    const vitestOwn = Symbol.for('expect-global')
    const kept: unknown = Reflect.get(globalThis, vitestOwn)
    Reflect.deleteProperty(globalThis, vitestOwn)
    vi.stubGlobal('expect', { getState: () => ({ testPath: '/jest/answers.test.js' }) })
    try {
      expect([testCassettes().folder, hooks.length]).toEqual(['/jest/__cassettes__/answers.test', 1])
      vi.stubGlobal('expect', undefined)
      expect(() => testCassettes()).toThrow('import.meta.url')
    } finally {
      Reflect.set(globalThis, vitestOwn, kept)
    }
  })

  it('V06 unused ones are listed in the end, unless tests were left out', () => {
    const folder = mkdtempSync(join(top, 'node_modules/.cassettes-'))
    mkdirSync(join(folder, '__cassettes__/a.test'), { recursive: true })
    writeFileSync(join(folder, '__cassettes__/a.test/chat-hi-00000000.json'), '{}')
    const texts: string[] = []
    const listed = (suite?: unknown): string => {
      testCassettes({
        file: join(folder, 'a.test.ts'),
        afterAll: (hook) => Reflect.apply(hook, undefined, [{}, suite]),
        report: (text) => texts.push(text),
      })
      return texts.splice(0).join()
    }
    expect(listed()).toContain('chat-hi-00000000.json')
    expect(listed({ tasks: [{ mode: 'run', tasks: [{ mode: 'run' }] }] })).toContain('chat-hi-00000000.json')
    expect(listed({ tasks: [{ mode: 'run', tasks: [{ mode: 'skip' }] }] })).toBe('')
    rmSync(folder, { recursive: true })
  })

  it.each([
    ['folder', () => cassetteStore('')],
    ['scrub', () => Reflect.apply(cassetteStore, undefined, ['a', { scrub: 'x' }])],
  ])('a wrong %s is refused at once', (name, make) => {
    expect(make).toThrow(`"${name}"`)
  })
})
