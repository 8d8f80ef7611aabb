import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { assertBuilt, subpaths, top } from './support/packed.ts'
import { publicSurface } from './support/public-surface.ts'

/** The declaration file of each door, by the name that users import. */
const doors = Object.fromEntries(subpaths().map((subpath) => [subpath, `${subpath.split('/')[1] ?? 'index'}.d.mts`]))

function built(): Record<string, string> {
  const dist = join(top, 'dist')
  return Object.fromEntries(globSync('*.d.mts', { cwd: dist }).map((file) => [file, readFileSync(join(dist, file), 'utf8')]))
}

it('the public surface is the recorded one', async () => {
  assertBuilt()
  const surface = `// The public surface: what each door exports, and each declaration that users can reach. "npm run api" renews it.\n\n${publicSurface(built(), doors)}\n`
  await expect(surface, 'The public surface has changed. If it should, run "npm run api" and commit the record').toMatchFileSnapshot(
    'api/doors.d.ts.txt',
  )
})

describe('the record of a surface', () => {
  const before = {
    'index.d.mts': `import { t as Clock } from "./clock-AAAA.mjs";
      /** What is asked. */
      interface Options { readonly clock: Clock; readonly text: "/* kept */" }
      interface Options$1 { readonly hidden: boolean }
      declare class Cache { private readonly engine; #private; constructor(options: Options); more(options: Options$1): void }
      declare function open(): typeof Cache;
      declare const clock: Clock;
      export { type Cache, Options, clock, open };`,
    'clock-AAAA.d.mts': 'import { Time as Moment } from "time";\ninterface Clock { now(): Moment }\nexport { Clock as t };',
  }
  const record = publicSurface(before, { llmemo: 'index.d.mts' })

  it('holds each reachable declaration once, without comments and private members', () => {
    const lines = record.split('\n').map((line) => line.trim())
    expect(lines.filter((line) => line !== '')).toEqual([
      '// llmemo',
      'Cache (type only)',
      'Options',
      'clock',
      'open',
      '// from other packages',
      'Time of time',
      '// declarations',
      'declare class Cache {   constructor(options: Options); more(options: Options$1): void }',
      'interface Clock { now(): Moment }',
      'interface Options { readonly clock: Clock; readonly text: "/* kept */" }',
      'interface Options$1 { readonly hidden: boolean }',
      'declare const clock: Clock;',
      'declare function open(): typeof Cache;',
    ])
  })

  it('stays the same when chunks, order, comments and numbers of names change', () => {
    const after = {
      'index.d.mts': `import { n as Clock$1 } from "./time-BBBB.mjs";
        declare function open(): typeof Cache;
        interface Options { readonly hidden: boolean }
        // What is asked.
        interface Options$2 { readonly clock: Clock$1; readonly text: "/* kept */" }
        declare const clock: Clock$1;
        declare class Cache { #private; private readonly other; constructor(options: Options$2); more(options: Options): void }
        export { type Cache, open, Options$2 as Options, clock };`,
      'time-BBBB.d.mts': 'import { Time as Moment } from "time";\n/** Time. */\ninterface Clock { now(): Moment }\nexport { Clock as n };',
    }
    expect(publicSurface(after, { llmemo: 'index.d.mts' })).toBe(record)
  })

  it.each([
    ['a member becomes optional', { 'index.d.mts': before['index.d.mts'].replace('clock: Clock;', 'clock?: Clock;') }],
    ['a type behind the door changes', { 'clock-AAAA.d.mts': before['clock-AAAA.d.mts'].replace('now()', 'now(utc: boolean)') }],
    ['a type of another package changes its package', { 'clock-AAAA.d.mts': before['clock-AAAA.d.mts'].replace('"time"', '"moment"') }],
    ['a name is no longer exported', { 'index.d.mts': before['index.d.mts'].replace(', clock, open', ', open') }],
    ['a class can be extended', { 'index.d.mts': before['index.d.mts'].replace('type Cache', 'Cache') }],
  ])('changes when %s', (_, change) => {
    expect(publicSurface({ ...before, ...change }, { llmemo: 'index.d.mts' })).not.toBe(record)
  })
})
