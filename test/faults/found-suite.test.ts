import { globSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { page } from '../docs/pages.ts'
import { top } from '../support/packed.ts'
import { childrenOf, isNode, type Node, nodesOf, treeOf } from '../support/syntax-tree.ts'

/** What declares a test, or work around it. */
const declaring = new Set(['it', 'test', 'describe', 'beforeAll', 'beforeEach', 'afterAll', 'afterEach'])

/** The name at the beginning of what is called: `it` of `it.each(rows)`. */
function callee(node: unknown): unknown {
  if (!isNode(node)) return undefined
  return node['type'] === 'Identifier' ? node['name'] : callee(node['callee'] ?? node['object'] ?? node['tag'])
}

/** Calls that give a test a time-out of its own. On a busy machine, work is not done by then. */
function ownTimeouts(tree: Node): Node[] {
  return [...nodesOf(tree)].filter(({ type, callee: called, arguments: given }) => {
    if (type !== 'CallExpression' || !declaring.has(String(callee(called))) || !Array.isArray(given)) return false
    const last: unknown = given.length > 1 ? given.at(-1) : undefined
    return isNode(last) && last['type'] === 'Literal' && typeof last['value'] === 'number'
  })
}

/** The nodes of a function, less those of functions within it. */
function* ownNodes(node: Node): Generator<Node> {
  for (const child of childrenOf(node)) {
    yield child
    if (!/Function/.test(String(child['type']))) yield* ownNodes(child)
  }
}

/** The emitters of which one function awaits two events, one after the other. The second one may come in the turn of the first. */
function inTurn(tree: Node, source: string): string[] {
  const functions = [tree, ...[...nodesOf(tree)].filter(({ type }) => /Function/.test(String(type)))]
  return functions.flatMap((each) => {
    const emitters = [...ownNodes(each)].flatMap(({ type, argument }) => {
      if (type !== 'AwaitExpression' || !isNode(argument) || argument['type'] !== 'CallExpression') return []
      const { callee: called, arguments: given } = argument
      const [emitter]: unknown[] = Array.isArray(given) ? given : []
      return isNode(called) && called['name'] === 'once' && isNode(emitter)
        ? [source.slice(Number(emitter['start']), Number(emitter['end']))]
        : []
    })
    return emitters.filter((emitter, index) => emitters.indexOf(emitter) < index)
  })
}

describe('G57 a test on a busy machine', () => {
  const sources = globSync('test/**/*.ts', { cwd: top }).map((path) => ({ path, source: page(path), tree: treeOf(page(path)) }))

  it('has no time-out of its own, as work has no fixed end', () => {
    expect(sources.length).toBeGreaterThan(200)
    expect(sources.filter(({ tree }) => ownTimeouts(tree).length > 0).map(({ path }) => path)).toEqual([])
  })

  it('listens for all events of one emitter before it waits for the first', () => {
    expect(sources.flatMap(({ path, source, tree }) => inTurn(tree, source).map((emitter) => `${path}: ${emitter}`))).toEqual([])
  })

  it('is found where it does not', () => {
    const tests =
      "it('a', run, 20_000)\nit.each([1, 2])('b', run, 5)\nit('c', run)\nbeforeAll(run, 9)\nexpect(sum, 4)\nit.each([1, 2])('d', run)"
    expect(ownTimeouts(treeOf(tests))).toHaveLength(3)
    const waits = [
      "async function hangs(worker) { await once(worker, 'message'); await once(worker, 'exit') }",
      "async function isFine(worker, other) { await once(worker, 'message'); await once(other, 'exit') }",
      "async function isFineToo(worker) { await Promise.all([once(worker, 'message'), once(worker, 'exit')]) }",
      "const nested = async (worker) => { await once(worker, 'message'); return async () => { await once(worker, 'exit') } }",
    ].join('\n')
    expect(inTurn(treeOf(waits), waits)).toEqual(['worker'])
  })
})
