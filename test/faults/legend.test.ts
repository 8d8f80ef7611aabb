import { globSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { page } from '../docs/pages.ts'
import { top } from '../support/packed.ts'
import { type Node, nodesOf, treeOf } from '../support/syntax-tree.ts'

/** An id: the letter of a table with two digits, or one of the invariants. */
const form = /\b(?:[A-HJ-Z]\d{2}|I\d)\b/g

/** The ids that a title begins with. */
const beginning = /^(?:(?:[A-HJ-Z]\d{2}|I\d)\b[ :,]*)+/

/** The texts in a node: of titles, of the rows of a table of cases. */
function textsIn(node: Node): string[] {
  return [...nodesOf(node)].flatMap((each) => {
    if (each['type'] === 'Literal' && typeof each['value'] === 'string') return [each['value']]
    const { value } = each
    return each['type'] === 'TemplateElement' && typeof value === 'object' && value !== null ? [String(Reflect.get(value, 'raw'))] : []
  })
}

/** The ids at the beginning of texts in a source: of titles, and of cases that a title begins with. */
function idsIn(source: string): string[] {
  return textsIn(treeOf(source)).flatMap((text) => beginning.exec(text)?.[0].match(form) ?? [])
}

const used = new Map(
  globSync(['test/**/*.ts', 'gateway/test/**/*.test.ts'], { cwd: top })
    .filter((path) => !path.endsWith('legend.test.ts') && !path.includes('node_modules'))
    .map((path) => [path, new Set(idsIn(page(path)))] as const),
)

const legend = [...page('test/faults/README.md').matchAll(/^\| ([A-Z]\d+) \| (.+) \| `(.+)` \|$/gm)].map(
  ([, id = '', meaning = '', path = '']) => ({ id, meaning, path }),
)

describe('the legend of the fault ids', () => {
  it('has every id that a test uses', () => {
    const known = new Set(legend.map(({ id }) => id))
    const unknown = [...used].flatMap(([path, ids]) => [...ids].filter((id) => !known.has(id)).map((id) => `${path}: ${id}`))
    expect(unknown).toEqual([])
  })

  it('has only ids that the file beside them uses', () => {
    expect(legend.length).toBeGreaterThan(90)
    expect(legend.filter(({ id, path }) => used.get(path)?.has(id) !== true)).toEqual([])
  })

  it('has each id once, in order', () => {
    const ids = legend.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const tables = Map.groupBy(ids, (id) => id.charAt(0))
    for (const [, inTable] of tables) expect(inTable).toEqual(inTable.toSorted())
  })
})

describe('the search for ids', () => {
  it('finds them in titles and in the rows of cases, and not in comments or other texts', () => {
    const source =
      "// R01\nit('R02 R03 hangs', run)\nit.each([['S04 cut']])(`B05 ${'x'} %s`, run)\nconst other = 'model A10, or B99'\nexpect(x, 'I8 no timer').toBe(0)"
    expect(idsIn(source).toSorted()).toEqual(['B05', 'I8', 'R02', 'R03', 'S04'])
  })
})
