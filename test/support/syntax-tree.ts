/**
 * The syntax tree of a source in TypeScript, for tests of the sources themselves.
 * @module
 */
import { parseAst } from 'vitest/node'

/** A node of the tree, as ESTree names its members. */
export type Node = Readonly<Record<string, unknown>>

/** Whether this is a node. */
export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value
}

/** The root of the tree. */
export function treeOf(source: string): Node {
  return { ...parseAst(source, { lang: 'ts', sourceType: 'module' }) }
}

/** The nodes right below a node. */
export function childrenOf(node: Node): Node[] {
  return Object.values(node).flat().filter(isNode)
}

/** A node and all below it. */
export function* nodesOf(node: Node): Generator<Node> {
  yield node
  for (const child of childrenOf(node)) yield* nodesOf(child)
}
