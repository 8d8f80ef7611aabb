/**
 * What the built declarations make public, and what they use without making it public. Pure functions over `{ file: text }`.
 * @module
 */
import { join } from 'node:path/posix'
import { parseAst } from 'vitest/node'

/** A node of the syntax tree. */
export type Node = Readonly<Record<string, unknown>>

/** One declaration file: its text, its declarations by name, and what its imports and exports stand for. */
export interface Declarations {
  readonly text: string
  readonly declared: ReadonlyMap<string, readonly Node[]>
  readonly imported: ReadonlyMap<string, { file: string; name: string }>
  readonly exported: ReadonlyMap<string, string>
  /** The names of `exported` that stand for a type only, whatever is declared. */
  readonly typesOnly: ReadonlySet<string>
}

/**
 * The names that exported declarations of `entries` refer to and that none of `entries` exports, each with the declaration that uses it.
 * Types of other packages do not count: their packages export them.
 */
export function unnameable(files: Readonly<Record<string, string>>, entries: readonly string[]): string[] {
  const parsed = new Map(Object.entries(files).map(([file, text]) => [file, read(text)]))
  const exported = entries.flatMap((entry) =>
    [...(parsed.get(entry)?.exported.values() ?? [])].flatMap((local) => find(parsed, entry, local)),
  )
  const known = new Set(exported.map(({ id }) => id))
  return exported.flatMap((user) => used(parsed, user, known).map(({ id }) => `${user.id} uses ${id}`))
}

/**
 * What `user` refers to and none of `known` is. An alias needs no name: the compiler writes out what it stands for, so that counts. So it is
 * with a declaration of which only members are taken: `Declared['member']`; and with a constant that is only what a class extends.
 */
function used(parsed: ReadonlyMap<string, Declarations>, { file, nodes }: Found, known: ReadonlySet<string>): Found[] {
  const all = nodes.flatMap((node) => [...references(node)])
  const whole = new Set(all.filter(({ ofMember }) => !ofMember).map(({ name }) => name))
  const named = new Set(all.filter(({ ofClass }) => !ofClass).map(({ name }) => name))
  const names = new Set(all.map(({ name }) => name))
  const hidden = [...names].flatMap((name) => find(parsed, file, name)).filter(({ id }) => !known.has(id))
  const seen = new Set([...known, ...hidden.map(({ id }) => id)])
  const isWrittenOut = ({ name, nodes }: Found): boolean =>
    nodes.every(isAlias) || !whole.has(name) || (nodes.every(isConstant) && !named.has(name))
  return hidden.flatMap((found) => (isWrittenOut(found) ? used(parsed, found, seen) : [found]))
}

function isAlias(node: Node): boolean {
  return node['type'] === 'TSTypeAliasDeclaration'
}

function isConstant(node: Node): boolean {
  return node['type'] === 'VariableDeclarator'
}

/** A declaration, which may have several nodes: overloads, or a type and a value of one name. */
export interface Found {
  readonly file: string
  readonly id: string
  readonly name: string
  readonly nodes: readonly Node[]
}

/** The declaration that `name` stands for in `file`, through as many imports as it takes; none when it is of another package. */
export function find(parsed: ReadonlyMap<string, Declarations>, file: string, name: string): Found[] {
  const here = parsed.get(file)
  const nodes = here?.declared.get(name)
  if (nodes !== undefined) return [{ file, id: `${name} (${file})`, name, nodes }]
  const from = here?.imported.get(name)
  const local = from === undefined ? undefined : parsed.get(from.file)?.exported.get(from.name)
  return from === undefined || local === undefined ? [] : find(parsed, from.file, local)
}

/** Reads one declaration file. */
export function read(text: string): Declarations {
  const declared = new Map<string, Node[]>()
  const imported = new Map<string, { file: string; name: string }>()
  const exported = new Map<string, string>()
  const typesOnly = new Set<string>()
  for (const statement of nodesIn(parseAst(text, { lang: 'dts', sourceType: 'module' }).body)) {
    const inner = isNode(statement['declaration']) ? statement['declaration'] : statement
    for (const each of [inner, ...nodesIn(inner['declarations'])]) {
      const name = nameOf(each['id'])
      if (name === undefined) continue
      declared.set(name, [...(declared.get(name) ?? []), each])
      if (inner !== statement) exported.set(name, name)
    }
    const source = isNode(statement['source']) ? String(statement['source']['value']) : undefined
    for (const each of nodesIn(statement['specifiers'])) {
      const local = nameOf(each['local']) ?? ''
      const file = source === undefined ? '' : join('.', source.replace(/\.([cm])js$/, '.d.$1ts'))
      if (statement['type'] === 'ImportDeclaration') imported.set(local, { file, name: nameOf(each['imported']) ?? 'default' })
      else exported.set(nameOf(each['exported']) ?? '', local)
      if (each['exportKind'] === 'type') typesOnly.add(nameOf(each['exported']) ?? '')
      // `export { a } from './b'` has no local name of its own.
      if (statement['type'] !== 'ImportDeclaration' && source !== undefined) imported.set(local, { file, name: local })
    }
  }
  return { text, declared, imported, exported, typesOnly }
}

/** A place where a declaration refers to a name: of `a.B`, to `a`. */
export interface Reference {
  readonly name: string
  readonly start: number
  readonly end: number
  /** Whether only a member of it is taken. */
  readonly ofMember: boolean
  /** Whether a class extends it. */
  readonly ofClass: boolean
}

/** What `node` refers to as types or by `typeof`. Type parameters are among them; they are declared nowhere. */
export function* references(node: Node, ofMember = false): Generator<Reference> {
  const named =
    node['typeName'] ?? node['exprName'] ?? node['superClass'] ?? (node['type'] === 'TSInterfaceHeritage' ? node['expression'] : undefined)
  const reference = identifier(named)
  if (reference !== undefined) yield { ...reference, ofMember, ofClass: named === node['superClass'] }
  const object = node['type'] === 'TSIndexedAccessType' ? node['objectType'] : undefined
  for (const child of Object.values(node).flat()) if (isNode(child)) yield* references(child, child === object)
}

/** Whether the value is a node of the tree. */
export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value
}

function nodesIn(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : []
}

/** The identifier that is the node, or with which the node begins. */
export function identifier(value: unknown): Omit<Reference, 'ofMember' | 'ofClass'> | undefined {
  if (!isNode(value)) return undefined
  // Of `a.B` the first part is what must be found.
  if (isNode(value['left'])) return identifier(value['left'])
  const { name, start } = value
  // The node of a variable ends only after its type.
  return typeof name === 'string' ? { name, start: Number(start), end: Number(start) + name.length } : undefined
}

function nameOf(value: unknown): string | undefined {
  return identifier(value)?.name
}
