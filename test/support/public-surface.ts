/**
 * The public surface of the built package as one text: the exports of each door, and each declaration that they reach, once.
 *
 * The text depends on the types alone. Doc comments, private members, the names of chunks, the order of declarations and the numbers that the
 * bundler adds to equal names do not change it.
 * @module
 */
import { type Declarations, find, type Found, identifier, isNode, type Node, read, type Reference, references } from './declared-types.ts'

/** A replacement of one part of a text. */
interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * @param files the declaration files by name
 * @param doors the declaration file of each door, by the name that users import
 */
export function publicSurface(files: Readonly<Record<string, string>>, doors: Readonly<Record<string, string>>): string {
  const parsed = new Map(Object.entries(files).map(([file, text]) => [file, read(withoutComments(text))]))
  const lists = Object.entries(doors).map(([door, file]) => ({ door, exports: exportsOf(parsed, file) }))
  const roots = lists.flatMap(({ exports }) => exports.flatMap(({ found }) => found))
  const reached = reach(parsed, roots)
  const names = stableNames(parsed, reached, new Set(roots.map(({ id }) => id)))
  const foreign = new Set(reached.flatMap((found) => foreignNames(parsed, found)))
  const declarations = reached.map((found) => ({ name: names.get(found.id) ?? '', text: print(parsed, found, names) }))
  return [
    ...lists.map(({ door, exports }) =>
      section(
        door,
        exports.map((each) => exportLine(each, names)),
      ),
    ),
    section('from other packages', [...foreign]),
    heading('declarations'),
    ...sorted(declarations, ({ name, text }) => `${name} ${text}`).map(({ text }) => text),
  ].join('\n\n')
}

interface Export {
  readonly name: string
  /** A class that users can name but neither call nor extend. */
  readonly isTypeOnly: boolean
  readonly found: readonly Found[]
}

function exportsOf(parsed: ReadonlyMap<string, Declarations>, file: string): Export[] {
  const door = parsed.get(file)
  return [...(door?.exported ?? [])].map(([name, local]) => {
    const found = find(parsed, file, local)
    return { name, isTypeOnly: door?.typesOnly.has(name) === true && !found.every(({ nodes }) => nodes.every(isType)), found }
  })
}

function isType(node: Node): boolean {
  return node['type'] === 'TSInterfaceDeclaration' || node['type'] === 'TSTypeAliasDeclaration'
}

function exportLine({ name, isTypeOnly, found }: Export, names: ReadonlyMap<string, string>): string {
  const declared = found.map(({ id }) => names.get(id)).join()
  return `${name}${isTypeOnly ? ' (type only)' : ''}${declared === name ? '' : ` is ${declared}`}`
}

/** The declarations that the roots refer to, directly or through others, and the roots themselves. */
function reach(parsed: ReadonlyMap<string, Declarations>, roots: readonly Found[]): Found[] {
  const reached = new Map<string, Found>()
  const waiting = [...roots]
  for (let found = waiting.pop(); found !== undefined; found = waiting.pop()) {
    if (reached.has(found.id)) continue
    reached.set(found.id, found)
    const { file } = found
    waiting.push(...referencesOf(found).flatMap(({ name }) => find(parsed, file, name)))
  }
  return [...reached.values()]
}

function referencesOf({ nodes }: Found): Reference[] {
  return nodes.flatMap((node) => [...references(withoutPrivate(node))])
}

/** Names that do not depend on the bundler's order: of equal names, what is exported goes first, and the text decides between the rest. */
function stableNames(
  parsed: ReadonlyMap<string, Declarations>,
  reached: readonly Found[],
  exported: ReadonlySet<string>,
): Map<string, string> {
  const groups = Map.groupBy(reached, ({ name }) => base(name))
  const bare = new Map(reached.map(({ id, name }) => [id, base(name)]))
  const names = new Map<string, string>()
  for (const [name, group] of groups) {
    const ordered = sorted(group, (found) => `${exported.has(found.id) ? 0 : 1} ${print(parsed, found, bare)}`)
    for (const [index, { id }] of ordered.entries()) names.set(id, index === 0 ? name : `${name}$${index}`)
  }
  return names
}

/** The bundler calls the second `Options` of a file `Options$1`. */
function base(name: string): string {
  return name.replace(/\$\d+$/, '')
}

/** What the declaration takes from other packages, as `default of openai`. */
function foreignNames(parsed: ReadonlyMap<string, Declarations>, found: Found): string[] {
  const imported = parsed.get(found.file)?.imported
  return referencesOf(found).flatMap(({ name }) => {
    const from = imported?.get(name)
    return from === undefined || parsed.has(from.file) ? [] : [`${from.name} of ${from.file}`]
  })
}

/** The text of a declaration, with the stable names of what it refers to. */
function print(parsed: ReadonlyMap<string, Declarations>, found: Found, names: ReadonlyMap<string, string>): string {
  const text = parsed.get(found.file)?.text ?? ''
  return found.nodes
    .map((node) => {
      const renamed = [identifier(node['id']), ...references(node)].flatMap((reference): Edit[] => {
        if (reference === undefined) return []
        const [target] = find(parsed, found.file, reference.name)
        const name = target === undefined ? undefined : names.get(target.id)
        return name === undefined ? [] : [{ start: reference.start, end: reference.end, text: name }]
      })
      const hidden = [...privateMembers(node)].map(({ start, end }): Edit => ({ start: Number(start), end: Number(end), text: '' }))
      const kept = renamed.filter((edit) => !hidden.some(({ start, end }) => start <= edit.start && edit.end <= end))
      const printed = apply(text, Number(node['start']), Number(node['end']), [...hidden, ...kept])
      return node['type'] === 'VariableDeclarator' ? `declare const ${printed};` : printed
    })
    .map((printed) => printed.replaceAll(/\n\s*(?=\n)/g, ''))
    .join('\n')
}

function apply(text: string, start: number, end: number, edits: readonly Edit[]): string {
  let place = start
  let result = ''
  for (const edit of edits.toSorted((first, second) => first.start - second.start)) {
    result += text.slice(place, edit.start) + edit.text
    place = edit.end
  }
  return result + text.slice(place, end)
}

/** Users cannot name a private member, and the compiler writes it without its type. */
function* privateMembers(node: Node): Generator<Node> {
  if (isPrivate(node)) yield node
  else for (const child of Object.values(node).flat()) if (isNode(child)) yield* privateMembers(child)
}

function withoutPrivate(node: Node): Node {
  const body = node['body']
  if (!isNode(body) || !Array.isArray(body['body'])) return node
  return { ...node, body: { ...body, body: body['body'].filter((member) => !isNode(member) || !isPrivate(member)) } }
}

function isPrivate(node: Node): boolean {
  return node['accessibility'] === 'private' || (isNode(node['key']) && node['key']['type'] === 'PrivateIdentifier')
}

/** Comments are left out, and what looks like one inside a string stays. */
function withoutComments(text: string): string {
  return text.replaceAll(/("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[^]*?\*\/|\/\/.*$/gm, '$1')
}

function section(name: string, lines: readonly string[]): string {
  return [heading(name), '', ...sorted(lines, (line) => line)].join('\n')
}

function heading(name: string): string {
  return `// ${name}`
}

/** By code units, so that the order is the same on every machine. */
function sorted<Item>(items: readonly Item[], textOf: (item: Item) => string): Item[] {
  const texts = new Map(items.map((item) => [item, textOf(item)]))
  return items.toSorted((first, second) => ((texts.get(first) ?? '') < (texts.get(second) ?? '') ? -1 : 1))
}
