/**
 * Cassettes for one test file of Vitest, Jest or any other runner: in a folder that is named after it.
 * @module
 */
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InvalidOptionError } from '../../errors.ts'
import { type CassetteOptions, type CassetteStore, cassetteStore } from './store.ts'

/** Options of {@link testCassettes}. */
export interface TestCassetteOptions extends CassetteOptions {
  /**
   * The test file: `import.meta.url`, or `__filename`.
   * @default what the `expect` of Vitest or Jest says
   */
  readonly file?: string | URL
  /** The runner's own hook, at whose call unused cassettes are listed. @default the global `afterAll`, if there is one */
  readonly afterAll?: (hook: () => void) => void
  /** Takes the list of unused cassettes. @default console.warn */
  readonly report?: (text: string) => void
}

/**
 * A {@link cassetteStore} for the test file that calls it: those of `test/answers.test.ts` lie in `test/__cassettes__/answers.test/`. After
 * all tests of the file, it lists the cassettes that none of them asked for, unless the runner says that some were left out.
 * @throws {InvalidOptionError} if the runner does not say which file runs, and `file` does not either
 */
export function testCassettes(options: TestCassetteOptions = {}): CassetteStore {
  const { file = runningFile(), afterAll = globalHook(), report = (text: string) => console.warn(text), ...rest } = options
  if (file === undefined || String(file) === '')
    throw new InvalidOptionError('file', file, 'the path or URL of the test file: import.meta.url')
  const path = file instanceof URL || file.startsWith('file:') ? fileURLToPath(file) : file
  const store = cassetteStore(join(dirname(path), '__cassettes__', basename(path).replace(/\.[^.]+$/, '')), rest)
  afterAll?.(function listUnused() {
    // Vitest takes the parameters of a hook for fixtures, and Jest waits for a callback if there is one. So the hook has none.
    // oxlint-disable-next-line prefer-rest-params
    const given: readonly unknown[] = [...arguments]
    const unused = given.every((suite) => isWhole(suite)) && isWholeInJest() ? store.unused() : []
    if (unused.length === 0) return
    const many = unused.length === 1 ? 'one cassette' : `${unused.length} cassettes`
    report(`llmemo: no test asked for ${many} in ${store.folder}:\n${unused.map((name) => `  ${name}`).join('\n')}`)
  })
  return store
}

/** Where Vitest keeps its `expect`, with or without globals. Source: https://github.com/vitest-dev/vitest/blob/main/packages/expect/src/constants.ts */
const vitestExpect = Symbol.for('expect-global')

/** The test file that runs; `undefined` if no runner says. */
function runningFile(): string | undefined {
  for (const name of [vitestExpect, 'expect']) {
    const getState: unknown = Reflect.get(Object(Reflect.get(globalThis, name)), 'getState')
    const state: unknown = typeof getState === 'function' ? Reflect.apply(getState, undefined, []) : undefined
    const path: unknown = Reflect.get(Object(state), 'testPath')
    if (typeof path === 'string' && path !== '') return path
  }
  return undefined
}

function globalHook(): TestCassetteOptions['afterAll'] {
  const hook: unknown = Reflect.get(globalThis, 'afterAll')
  return typeof hook === 'function' ? (callback) => void Reflect.apply(hook, undefined, [callback]) : undefined
}

/** Whether all tests ran, as far as the runner says: Vitest gives its hook the suite. */
function isWhole(suite: unknown): boolean {
  const tasks: unknown = Reflect.get(Object(suite), 'tasks') ?? Reflect.get(Object(suite), 'children')
  if (!Array.isArray(tasks)) return true
  return tasks.every((task: unknown) => Reflect.get(Object(task), 'mode') !== 'skip' && isWhole(task))
}

/**
 * The same for Jest, which keeps its state in the global object under a symbol of its own.
 * Source: https://github.com/jestjs/jest/blob/main/packages/jest-circus/src/types.ts
 */
function isWholeInJest(): boolean {
  const symbol = Object.getOwnPropertySymbols(globalThis).find(({ description }) => description === 'JEST_STATE_SYMBOL')
  const state: unknown = symbol && Reflect.get(globalThis, symbol)
  const member = (name: string): unknown => Reflect.get(Object(state), name)
  return (member('testNamePattern') ?? null) === null && member('hasFocusedTests') !== true && isWhole(member('rootDescribeBlock'))
}
