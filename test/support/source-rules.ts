/**
 * The rules that every file of the source keeps, as pure functions over `{ path: source }`.
 * @module
 */
import { dirname, join } from 'node:path/posix'
import { parseAst } from 'vitest/node'

/** Source texts by their paths: `src/key/digest.ts`. */
export type Sources = Readonly<Record<string, string>>

/** One import of a module, however it is written. `type` imports leave nothing behind at run time. */
export interface Import {
  readonly specifier: string
  readonly kind: 'value' | 'type' | 'dynamic'
}

/**
 * The rooms of `src` from the ground up: each imports only from those before it, and from itself. A room within a room is listed with its
 * path; the files of a room's own folder lie above the rooms within it, unless they are listed as its ground.
 */
export const rooms = [
  'words',
  'base',
  'json',
  'memory',
  'key',
  'codec',
  'providers',
  'stores',
  'testing',
  'engine/pricing',
  'engine/settings',
  'engine/stats',
  'engine/shared-store',
  'engine/invalidation',
  'engine/tiers',
  'engine/flight',
  'engine',
  'cache',
  'clients',
  'monitor',
  'adapters',
  'env',
  'cli',
  'index',
]

/** Rooms that import less than their place allows. */
const narrower: Readonly<Record<string, readonly string[]>> = {
  stores: ['words', 'base', 'memory', 'stores'],
  'engine/flight': ['words', 'base', 'engine/flight'],
  memory: ['words', 'base', 'memory'],
  monitor: ['words', 'base', 'cache', 'monitor'],
  adapters: ['words', 'cache', 'adapters'],
}

/** Folders whose subfolders do not import one another: one for each store, provider, client or adapter. */
const apart = new Set(['stores', 'adapters', 'clients'])

/** Subfolders that all of their siblings may import. */
const ground = new Set(['clients/http', 'stores/aws', 'stores/objects', 'stores/documents'])

/** What each room may import that is not ours. `*` ends a prefix; `type:` and `dynamic:` allow only imports of that kind. */
const foreign: Readonly<Record<string, readonly string[]>> = {
  base: ['type:node:async_hooks', 'type:node:crypto', 'type:node:module'],
  json: ['type:node:util'],
  memory: ['lru-cache'],
  codec: ['type:node:crypto', 'type:node:util', 'fflate/browser'],
  // The AWS SDK makes commands of classes of its own, so the store on DynamoDB, a door of its own, needs more of it than types.
  stores: ['node:*', '@aws-sdk/lib-dynamodb', '@aws-sdk/client-dynamodb', 'dynamic:@aws-sdk/client-s3'],
  testing: ['node:assert/strict', 'node:fs', 'node:path', 'node:url', 'node:util'],
  'engine/pricing': ['dynamic:@pydantic/genai-prices', 'type:@pydantic/genai-prices', 'type:node:module'],
  cli: ['node:fs/promises', 'node:readline', 'node:util'],
  env: ['dynamic:ioredis', 'dynamic:@aws-sdk/client-dynamodb', 'dynamic:@aws-sdk/lib-dynamodb', 'dynamic:@opentelemetry/api'],
  adapters: ['@langchain/core/*', 'langchain', '@langchain/langgraph-checkpoint'],
  monitor: ['node:perf_hooks', 'type:@opentelemetry/api'],
  clients: [
    'type:openai',
    'type:openai/*',
    'type:@anthropic-ai/sdk',
    'type:@anthropic-ai/sdk/*',
    'type:@aws-sdk/*',
    'type:@google/genai',
    'type:groq-sdk',
    'type:@perplexity-ai/perplexity_ai',
    'type:@perplexity-ai/perplexity_ai/generated/runtime',
    'type:together-ai',
    'type:@cerebras/cerebras_cloud_sdk',
    'type:@cerebras/cerebras_cloud_sdk/core',
  ],
}

/** Rooms that need Node.js, or may: all others run without it, as docs/runtimes.md says. */
const ofNode = new Set(['stores', 'testing', 'monitor', 'adapters', 'env', 'cli'])

/** Globals that only Node.js and its like have. */
const nodeGlobals = new Set(['Buffer', 'process', 'global', 'require', '__dirname', '__filename', 'setImmediate', 'clearImmediate'])

/** Files that run only with the option `encryption`, which is refused where there is no `node:crypto`. */
const sealing = new Set([
  'src/codec/encryption.ts',
  'src/codec/envelope.ts',
  'src/codec/sum-names.ts',
  'src/engine/shared-store/hidden-names.ts',
  'src/engine/shared-store/sealed-store.ts',
  'src/engine/shared-store/sealed-values.ts',
  'src/engine/shared-store/signed-records.ts',
])

const vague = new Set(['utils', 'util', 'helpers', 'helper', 'manager', 'managers', 'misc', 'common'])

/** Everything in `sources` that breaks a rule, one line each; empty when all is well. */
export function violations(sources: Sources): string[] {
  const files = Object.entries(sources).map(([path, source]) => ({ path, source, program: parse(source) }))
  return [
    ...files.flatMap(({ path, program }) => brokenImports(path, importsOf(program), sources)),
    ...circles(new Map(files.map(({ path, program }) => [path, relatives(path, importsOf(program))]))),
    ...files.flatMap(({ path, program }) => forbiddenSyntax(path, program)),
    ...files.flatMap(({ path, source, program }) => missingComments(path, source, program)),
    ...Object.keys(sources).flatMap((path) => vagueNames(path)),
    ...files.flatMap(({ path, source }) => tooLong(path, source)),
    ...files.flatMap(({ path, program }) => bareNodeGlobals(path, program)),
  ]
}

/** Lines of a file, at the most. */
const maxLines = 300

function tooLong(path: string, source: string): string[] {
  const lines = source.trimEnd().split('\n').length
  return lines > maxLines ? [`${path}: has ${lines} lines; ${maxLines} are the most`] : []
}

/** The imports and re-exports in a source text, types and dynamic imports included. */
export function importsIn(source: string): Import[] {
  return importsOf(parse(source))
}

type Node = Readonly<Record<string, unknown>>

function parse(source: string): Node {
  return { ...parseAst(source, { lang: 'ts', sourceType: 'module' }) }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value
}

/** `node` and every node below it. */
function* nodesOf(node: Node): Generator<Node> {
  yield node
  for (const child of Object.values(node).flat()) if (isNode(child)) yield* nodesOf(child)
}

function nodesIn(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : []
}

function importsOf(program: Node): Import[] {
  return [...nodesOf(program)].flatMap((node) => {
    if (!isNode(node['source']) || typeof node['source']['value'] !== 'string') return []
    return [{ specifier: node['source']['value'], kind: kindOf(node) }]
  })
}

function kindOf(node: Node): Import['kind'] {
  if (node['type'] === 'ImportExpression') return 'dynamic'
  if (node['type'] === 'TSImportType' || node['importKind'] === 'type' || node['exportKind'] === 'type') return 'type'
  const specifiers = nodesIn(node['specifiers'])
  const erased = specifiers.length > 0 && specifiers.every((each) => each['importKind'] === 'type' || each['exportKind'] === 'type')
  return erased ? 'type' : 'value'
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith('.')
}

function resolve(path: string, specifier: string): string {
  return join(dirname(path), specifier)
}

function relatives(path: string, imports: readonly Import[]): string[] {
  return imports.filter(({ specifier }) => isRelative(specifier)).map(({ specifier }) => resolve(path, specifier))
}

/** The room that a file belongs to: the longest listed path that it lies in, `words` for the files of `src` itself, `index` for the front door. */
function roomOf(path: string): string | undefined {
  const folders = path.split('/').slice(1, -1)
  if (folders.length === 0) return path === 'src/index.ts' ? 'index' : 'words'
  const inner = folders.slice(0, 2).join('/')
  return rooms.find((room) => room === inner) ?? rooms.find((room) => room === folders[0])
}

function brokenImports(path: string, imports: readonly Import[], sources: Sources): string[] {
  const room = roomOf(path)
  if (room === undefined) return [`${path}: the folder ${dirname(path)} is none of the rooms`]
  return imports.flatMap(({ specifier, kind }) => {
    if (!isRelative(specifier)) return allowed(room, specifier, kind) ? [] : [`${path}: ${room} may not import ${specifier} (${kind})`]
    const target = resolve(path, specifier)
    if (target === 'src/index.ts') return [`${path}: imports the front door`]
    if (sources[target] === undefined) return [`${path}: imports ${specifier}, which is not there`]
    return [...upwards(path, target), ...sideways(path, target)]
  })
}

function upwards(path: string, target: string): string[] {
  const [room = '', other = ''] = [roomOf(path), roomOf(target)]
  if (rooms.indexOf(other) > rooms.indexOf(room)) return [`${path}: ${room} imports upwards from ${target}`]
  return narrower[room]?.includes(other) === false ? [`${path}: ${room} may not import ${target}`] : []
}

/** Imports between folders that are to be strangers to one another, and from a folder up to the files around it. */
function sideways(path: string, target: string): string[] {
  const [room = '', own, ...inOwn] = path.split('/').slice(1)
  const [otherRoom, other, ...inOther] = target.split('/').slice(1)
  if (room !== otherRoom || !apart.has(room) || inOwn.length === 0) return []
  if (inOther.length === 0 || own === other || ground.has(`${room}/${other}`)) return []
  return [`${path}: ${room}/${own} may not import ${target}`]
}

function allowed(room: string, specifier: string, kind: Import['kind']): boolean {
  return (foreign[room] ?? []).some((rule) => {
    const [, only, pattern = ''] = /^(?:(type|dynamic):)?(.+)$/.exec(rule) ?? []
    if (only !== undefined && only !== kind) return false
    return pattern.endsWith('*') ? specifier.startsWith(pattern.slice(0, -1)) : specifier === pattern
  })
}

/** Every circle that a depth-first walk meets, as the chain of its files. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start !== -1) found.push(`circle: ${[...trail.slice(start), path].join(' > ')}`)
    if (start !== -1 || done.has(path)) return
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) walk(path, [])
  return found
}

function forbiddenSyntax(path: string, program: Node): string[] {
  return [...nodesOf(program)].flatMap((node) => {
    if (node['type'] === 'ExportAllDeclaration') return [`${path}: export * makes names public by accident`]
    if (node['type'] === 'ExportDefaultDeclaration') return [`${path}: export default has no name of its own`]
    return node['type'] === 'TSAnyKeyword' ? [`${path}: the type any at character ${String(node['start'])}`] : []
  })
}

/** Globals of Node.js that are read as if they were there: neither as members of `globalThis`, nor after a `typeof`. */
function bareNodeGlobals(path: string, program: Node): string[] {
  if (ofNode.has(roomOf(path) ?? '') || sealing.has(path)) return []
  const read = [...namesRead(program)]
  const asked = new Set(read.filter(({ isAsked }) => isAsked).map(({ name }) => name))
  const bare = read.filter(({ name }) => nodeGlobals.has(name) && !asked.has(name))
  return [...new Set(bare.map(({ name }) => name))].map((name) => `${path}: ${name} is not everywhere; ask for globalThis.${name}`)
}

/** The names that code reads as values, without those of types, members and properties. */
function* namesRead(node: Node, isAsked = false): Generator<{ readonly name: string; readonly isAsked: boolean }> {
  const type = String(node['type'])
  if (type === 'Identifier') yield { name: String(node['name']), isAsked }
  for (const [member, value] of Object.entries(node)) {
    const isName =
      (member === 'property' && node['computed'] !== true) || (member === 'key' && node['computed'] !== true && !node['shorthand'])
    const isType = type.startsWith('TS') && member !== 'expression'
    if (isName || isType) continue
    for (const child of [value].flat())
      if (isNode(child)) yield* namesRead(child, type === 'UnaryExpression' && node['operator'] === 'typeof')
  }
}

function missingComments(path: string, source: string, program: Node): string[] {
  const opening = /^(?:#!.*\n)?(\/\*\*[^]*?\*\/)/.exec(source)?.[1] ?? ''
  const missing = opening.includes('@module') ? [] : [`${path}: does not begin with a doc comment that has @module`]
  const seen = new Set<string>()
  for (const { name, start, exported } of declarationsOf(program)) {
    // Of overloads the first carries the comment.
    if (exported && !seen.has(name) && !hasComment(source.slice(0, start))) missing.push(`${path}: ${name} has no doc comment`)
    seen.add(name)
  }
  return missing
}

function hasComment(before: string): boolean {
  const comment = before.slice(before.lastIndexOf('/**')).trimEnd()
  return comment.startsWith('/**') && comment.indexOf('*/') === comment.length - 2 && !comment.includes('@module')
}

function* declarationsOf(program: Node): Generator<{ name: string; start: number; exported: boolean }> {
  const statements = nodesIn(program['body'])
  const listed = new Set(statements.filter((each) => !isNode(each['source'])).flatMap((each) => nodesIn(each['specifiers']).map(localName)))
  for (const statement of statements) {
    const inner = isNode(statement['declaration']) ? statement['declaration'] : statement
    const declarators = [inner, ...nodesIn(inner['declarations'])]
    for (const name of declarators.flatMap((each) => identifier(each['id']))) {
      yield { name, start: Number(statement['start']), exported: inner !== statement || listed.has(name) }
    }
  }
}

function localName(specifier: Node): string {
  return identifier(specifier['local'])[0] ?? ''
}

function identifier(value: unknown): string[] {
  return isNode(value) && typeof value['name'] === 'string' ? [value['name']] : []
}

function vagueNames(path: string): string[] {
  const found = path.split('/').find((part) => vague.has(part.replace(/\.ts$/, '')))
  return found === undefined ? [] : [`${path}: ${found} says nothing of what is in it`]
}
