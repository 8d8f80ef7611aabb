/**
 * The places of the source that issue something: an error, an event, a line of the log.
 * @module
 */

/** One place of a file. */
export interface Site {
  /** `src/duration.ts`. */
  readonly file: string
  /** Where its expression begins, in UTF-16 units. */
  readonly offset: number
  /** What a person reads: the line and its text. */
  readonly shown: string
}

type Node = Readonly<Record<string, unknown>>

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value
}

function* nodesOf(node: Node): Generator<Node> {
  yield node
  for (const child of Object.values(node).flat()) if (isNode(child)) yield* nodesOf(child)
}

/** Methods that write a line of the log, or lead to one, and the objects that have them. */
const logging: Readonly<Record<string, RegExp>> = { warn: /./, info: /logger$/i, once: /^(?:this|.*notices|.*reports)$/i, report: /./ }

/** Every place in a source text that makes an error, emits an event or logs. */
export function sitesIn(file: string, source: string, program: Node): Site[] {
  return [...nodesOf(program)].filter(issues).map((node) => {
    const offset = Number(node['start'])
    const before = source.slice(0, offset)
    const line = before.split('\n').length
    const text = source.slice(offset, Number(node['end'])).replaceAll(/\s+/g, ' ')
    return { file, offset, shown: `${file}:${line} ${text.slice(0, 100)}` }
  })
}

function issues(node: Node): boolean {
  const callee = node['callee']
  if (!isNode(callee)) return false
  if (node['type'] === 'NewExpression') return /(?:Error|Refusal)$/.test(nameOf(callee))
  if (node['type'] !== 'CallExpression' || callee['type'] !== 'MemberExpression') return false
  const { property, object } = callee
  const name = isNode(property) ? nameOf(property) : ''
  return name === 'emit' || (Object.hasOwn(logging, name) && logging[name]?.test(isNode(object) ? nameOf(object) : '') === true)
}

function nameOf(node: Node): string {
  const { name } = node
  if (typeof name === 'string') return name
  if (node['type'] === 'ThisExpression') return 'this'
  return isNode(node['property']) ? nameOf(node['property']) : ''
}
