/**
 * The options of every factory, read from the source: their names, types and `@default` tags, and the parameters of the factories.
 * @module
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAst } from 'vitest/node'
import { top } from '../support/packed.ts'

/** One option, or one parameter. */
export interface SourceOption {
  readonly name: string
  readonly type: string
  /** The text of its `@default` tag; `required` where it must be given, `–` where it may be left out and nothing is said. */
  readonly fallback: string
}

/** A thing with options: an interface, or a function with parameters. */
export interface SourceEntry {
  readonly options: readonly SourceOption[]
  /** The names of the types that it mentions. */
  readonly mentions: readonly string[]
}

type Node = Readonly<Record<string, unknown>>

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value
}

function nodesIn(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : []
}

function* nodesOf(node: Node): Generator<Node> {
  yield node
  for (const child of Object.values(node).flat()) if (isNode(child)) yield* nodesOf(child)
}

function nameOf(value: unknown): string {
  return isNode(value) && typeof value['name'] === 'string' ? value['name'] : ''
}

function textOf(source: string, node: unknown): string {
  return isNode(node) ? source.slice(Number(node['start']), Number(node['end'])) : ''
}

/** The doc comment that ends right before `start`, without its stars. */
function commentBefore(source: string, start: number): string {
  const before = source.slice(0, start).trimEnd()
  if (!before.endsWith('*/')) return ''
  return before.slice(before.lastIndexOf('/**') + 3, -2).replaceAll(/\n\s*\* ?/g, '\n')
}

/** The rest of a tag, to the next tag or the end, on one line. */
function tag(comment: string, name: string): string | undefined {
  return new RegExp(`@${name} ([^]*?)(?=\\n?@[a-z]|$)`).exec(comment)?.[1]?.replaceAll(/\s+/g, ' ').trim()
}

function mentionsOf(node: Node): string[] {
  return [...nodesOf(node)].flatMap((each) => {
    if (each['type'] === 'TSTypeReference') return [nameOf(each['typeName'])]
    return each['type'] === 'TSInterfaceHeritage' ? [nameOf(each['expression'])] : []
  })
}

function memberOf(source: string, member: Node): SourceOption[] {
  const name = nameOf(member['key'])
  if (name === '') return []
  const isMethod = member['type'] === 'TSMethodSignature'
  const type = isMethod ? textOf(source, member).slice(name.length).replace(/^\?/, '') : typeText(source, member['typeAnnotation'])
  const given = tag(commentBefore(source, Number(member['start'])), 'default')
  return [{ name, type, fallback: given ?? (member['optional'] === true ? '–' : 'required') }]
}

function typeText(source: string, annotation: unknown): string {
  return textOf(source, annotation).replace(/^:\s*/, '').replaceAll(/\s+/g, ' ')
}

function parameterOf(source: string, parameter: Node, comment: string): SourceOption {
  const hasDefault = parameter['type'] === 'AssignmentPattern'
  const named = hasDefault && isNode(parameter['left']) ? parameter['left'] : parameter
  const described = new RegExp(`@param ${nameOf(named)} ([^]*?)(?=\\n@(?!default)|$)`).exec(comment)?.[1] ?? ''
  const value = hasDefault ? textOf(source, parameter['right']) : '–'
  const isFree = hasDefault || named['optional'] === true
  return {
    name: nameOf(named),
    // Of a parameter without a type, it is that of its default.
    type: typeText(source, named['typeAnnotation']) || (isNode(parameter['right']) ? typeof parameter['right']['value'] : ''),
    fallback: tag(described, 'default') ?? (isFree ? value : 'required'),
  }
}

/** The function that a declaration is, or the constructor of a class, and where its comment ends. */
function madeBy(declaration: Node, start: number): readonly [made: Node | undefined, start: number] {
  if (declaration['type'] === 'FunctionDeclaration') return [declaration, start]
  const body = isNode(declaration['body']) ? nodesIn(declaration['body']['body']) : []
  const constructing = body.find((member) => member['kind'] === 'constructor')
  return [isNode(constructing?.['value']) ? constructing['value'] : undefined, Number(constructing?.['start'])]
}

function entriesOf(source: string): [string, SourceEntry][] {
  const program: Node = { ...parseAst(source, { lang: 'ts', sourceType: 'module' }) }
  return nodesIn(program['body']).flatMap((statement): [string, SourceEntry][] => {
    const declaration = isNode(statement['declaration']) ? statement['declaration'] : undefined
    if (declaration === undefined) return []
    const name = nameOf(declaration['id'])
    if (declaration['type'] === 'TSInterfaceDeclaration' && isNode(declaration['body'])) {
      const members = nodesIn(declaration['body']['body'])
      return [[name, { options: members.flatMap((member) => memberOf(source, member)), mentions: mentionsOf(declaration) }]]
    }
    const [made, start] = madeBy(declaration, Number(statement['start']))
    if (made === undefined) return []
    const parameters = nodesIn(made['params'])
    const comment = commentBefore(source, start)
    const options = parameters.map((parameter) => parameterOf(source, parameter, comment))
    return [[name, { options, mentions: parameters.flatMap(mentionsOf) }]]
  })
}

/** Every exported interface and function of the source, by name. */
export function sourceEntries(): ReadonlyMap<string, SourceEntry> {
  const paths = globSync('src/**/*.ts', { cwd: top })
  return new Map(paths.flatMap((path) => entriesOf(readFileSync(join(top, path), 'utf8'))))
}

/** The names that a door exports as values: classes and functions. */
export function exportedBy(path: string): string[] {
  const program: Node = { ...parseAst(readFileSync(join(top, path), 'utf8'), { lang: 'ts', sourceType: 'module' }) }
  return nodesIn(program['body']).flatMap((statement) => {
    if (statement['type'] !== 'ExportNamedDeclaration' || statement['exportKind'] === 'type') return []
    const declared = isNode(statement['declaration']) ? [nameOf(statement['declaration']['id'])] : []
    const listed = nodesIn(statement['specifiers']).filter((each) => each['exportKind'] !== 'type')
    return declared.concat(listed.map((each) => nameOf(each['exported'])))
  })
}
