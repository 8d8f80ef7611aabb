import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path/posix'
import { describe, expect, it } from 'vitest'
import { importsIn } from '../../test/support/source-rules.ts'

const top = new URL('../', import.meta.url).pathname
const common = ['words', 'config', 'context', 'access']

/** What each room may import besides itself. The files of `src` itself are `words`, the context, or the top that puts all together. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  words: [],
  config: ['words'],
  context: ['words', 'config'],
  access: ['words', 'config', 'context'],
  server: ['words', 'config', 'context'],
  health: common,
  cdn: common,
  transparent: common,
  rest: common,
  events: common,
  dashboard: common,
  // The same over another wire.
  nats: [...common, 'events', 'rest'],
  // For other programs. Of the REST API it has the types only.
  client: ['rest'],
  // For AWS Lambda, in place of the listener.
  lambda: [...common, 'rest', 'top'],
  top: [...common, 'server', 'health', 'cdn', 'transparent', 'rest', 'events', 'dashboard', 'nats'],
}

function roomOf(path: string): string {
  const [, folder = '', inFolder] = path.split('/')
  if (inFolder !== undefined) return folder
  if (folder === 'context.ts') return 'context'
  return ['errors.ts', 'log.ts', 'caller.ts'].includes(folder) ? 'words' : 'top'
}

/** The sentence against an import, if there is one. */
function against(path: string, specifier: string): string[] {
  if (!specifier.startsWith('.')) {
    return /^llmemo\/(?:dist|src)/.test(specifier) ? [`${path}: imports ${specifier}, which is no door`] : []
  }
  const target = join(path, '..', specifier)
  if (!target.startsWith('src/')) return [`${path}: imports ${target}, which is not of this package`]
  const [room, other] = [roomOf(path), roomOf(target)]
  return room === other || allowed[room]?.includes(other) === true ? [] : [`${path}: ${room} may not import ${other}`]
}

describe('the source of the gateway', () => {
  const paths = globSync('src/**/*.ts', { cwd: top })

  it('imports only what its room may, and llmemo by its doors', () => {
    expect(paths).toContain('src/gateway.ts')
    const found = paths.flatMap((path) =>
      importsIn(readFileSync(join(top, path), 'utf8')).flatMap(({ specifier }) => against(path, specifier)),
    )
    expect(found).toEqual([])
  })

  it('has no file of more than 300 lines', () => {
    expect(paths.filter((path) => readFileSync(join(top, path), 'utf8').split('\n').length > 301)).toEqual([])
  })

  it.each([
    ['src/rest/a.ts', '../dashboard/b.ts', 'src/rest/a.ts: rest may not import dashboard'],
    ['src/config/a.ts', '../../../src/index.ts', 'src/config/a.ts: imports ../src/index.ts, which is not of this package'],
    ['src/config/a.ts', 'llmemo/dist/index.mjs', 'src/config/a.ts: imports llmemo/dist/index.mjs, which is no door'],
    ['src/errors.ts', './context.ts', 'src/errors.ts: words may not import context'],
  ])('%s may not import %s', (path, specifier, said) => {
    expect(against(path, specifier)).toEqual([said])
  })
})
