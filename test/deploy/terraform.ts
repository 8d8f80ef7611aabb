/**
 * A checker of Terraform's files in JSON, by what is known of the provider's resources.
 * @module
 */
import { isJsonObject, type JsonObject } from '../../src/json/object.ts'
import { metricsInDashboard, mistakesInMetrics, type ReadMetric } from './cloudwatch.ts'
import { type Statement, tooLittle, tooMuch } from './rights.ts'
import { mistakesOfShape, type Shape } from './shapes.ts'
import { data as knownData, type Described, fileShape, resources as knownResources, statementShape } from './terraform-schema.ts'

/** One block of a file: a resource, or data. */
interface Block {
  /** As expressions name it: `aws_kms_key.answers`, `data.aws_partition.own`. */
  readonly address: string
  readonly type: string
  readonly given: JsonObject
}

/** Reads a file beside the one that is checked. */
export type ReadBeside = (name: string) => string

/** Everything wrong with a file, one sentence each. */
export function mistakesInTerraform(file: JsonObject, read: ReadBeside): string[] {
  const resources = blocksIn(file, 'resource', '')
  const data = blocksIn(file, 'data', 'data.')
  const documents = data.filter(({ type }) => type === 'aws_iam_policy_document')
  return [
    ...mistakesOfShape('main', file, fileShape),
    ...resources.flatMap((block) => mistakesInBlock(block, knownResources)),
    ...data.flatMap((block) => mistakesInBlock(block, knownData)),
    ...documents.flatMap(({ address, given }) =>
      listIn(given, 'statement').flatMap((each) => mistakesOfShape(address, each, statementShape, isExpression)),
    ),
    ...danglingIn(file, [...resources, ...data]),
    ...mistakesInMetrics(resources.flatMap((block) => [...metricsIn(block), ...dashboardIn(block, read).metrics])),
    ...resources.flatMap((block) => dashboardIn(block, read).unknown),
    ...documents.flatMap(({ address, given }) => rightsOf(address, given)),
  ]
}

/** The functions, as far as others check them. */
export function functionsIn(file: JsonObject): { readonly handler: string; readonly variables: readonly string[] }[] {
  return blocksIn(file, 'resource', '')
    .filter(({ type }) => type === 'aws_lambda_function')
    .map(({ given }) => ({
      handler: String(given['handler']),
      variables: Object.keys(memberOf(memberOf(given, 'environment'), 'variables')),
    }))
}

/** A text with an expression is checked as one, by what it refers to. */
const isExpression = (value: string): boolean => value.includes('${')

function blocksIn(file: JsonObject, kind: 'resource' | 'data', prefix: string): Block[] {
  return Object.entries(memberOf(file, kind)).flatMap(([type, named]) =>
    Object.entries(isJsonObject(named) ? named : {}).map(([name, given]) => ({
      address: `${prefix}${type}.${name}`,
      type,
      given: isJsonObject(given) ? given : {},
    })),
  )
}

function mistakesInBlock({ address, type, given }: Block, known: Readonly<Record<string, Described>>): string[] {
  const described = known[type]
  return described === undefined ? [`${address}: is of no known type`] : mistakesOfShape(address, given, described.shape, isExpression)
}

const reference = /\b(?:(var)\.(\w+)|((?:data\.)?aws_\w+)\.(\w+)(?:\.(\w+))?)/g

/** Expressions that refer to what is not there, also by an attribute that a resource does not have. */
function danglingIn(file: JsonObject, blocks: readonly Block[]): string[] {
  const variables = memberOf(file, 'variable')
  const isThere = ([, isVariable, variable = '', type = '', name = '', attribute]: readonly (string | undefined)[]): boolean => {
    if (isVariable !== undefined) return variables[variable] !== undefined
    const block = blocks.find(({ address }) => address === `${type}.${name}`)
    if (block === undefined || attribute === undefined) return block !== undefined
    const described = knownResources[block.type] ?? knownData[block.type]
    // A block of an unknown type is told by itself.
    return described === undefined || described.exports.includes(attribute) || argumentsIn(described.shape).includes(attribute)
  }
  const refer = (path: string, value: unknown): string[] => {
    if (Array.isArray(value)) return value.flatMap((each: unknown) => refer(path, each))
    if (isJsonObject(value)) return Object.entries(value).flatMap(([name, member]) => refer(`${path}.${name}`, member))
    if (typeof value !== 'string') return []
    const expressions = path.endsWith('.depends_on') ? [value] : [...value.matchAll(/\$\{([^}]*)\}/g)].map(([, inner = '']) => inner)
    return expressions
      .flatMap((each) => Array.from(each.matchAll(reference)))
      .filter((found) => !isThere(found))
      .map(([whole]) => `${path.slice(1)}: refers to ${whole}, which is not there`)
  }
  return refer('', file)
}

function argumentsIn(shape: Shape): string[] {
  return isJsonObject(shape) ? Object.keys(shape).map((name) => name.replace(/!$/, '')) : []
}

function metricsIn({ address, type, given }: Block): ReadMetric[] {
  if (type !== 'aws_cloudwatch_metric_alarm') return []
  const queries = listIn(given, 'metric_query').map((query) => memberOf(query, 'metric'))
  return [given, ...queries]
    .filter(({ metric_name: name }) => name !== undefined)
    .map((each) => ({
      by: address,
      namespace: each['namespace'],
      name: each['metric_name'],
      dimensions: Object.keys(memberOf(each, 'dimensions')),
    }))
}

/** What a dashboard shows, and the names in its file that it is not given. */
function dashboardIn({ address, type, given }: Block, read: ReadBeside): { metrics: ReadMetric[]; unknown: string[] } {
  if (type !== 'aws_cloudwatch_dashboard') return { metrics: [], unknown: [] }
  const [, file = '', map = ''] = /templatefile\("([\w.]+)", \{(.*)\}\)/.exec(String(given['dashboard_body'])) ?? []
  const body = read(file)
  const known = new Set([...map.matchAll(/(\w+) =/g)].map(([, name = '']) => name))
  const unknown = [...new Set([...body.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name))].filter((name) => !known.has(name))
  return { metrics: metricsInDashboard(address, body), unknown: unknown.map((name) => `${address}: is not given ${name}`) }
}

/** A document about others, with principals, is the policy of a resource; one without says what a role may do. */
function rightsOf(address: string, given: JsonObject): string[] {
  const statements = listIn(given, 'statement').filter((each) => memberOf(each, 'principals')['type'] === undefined)
  if (statements.length === 0) return []
  const rights = statements.map((each): Statement => ({ actions: textsIn(each, 'actions'), resources: textsIn(each, 'resources') }))
  return [...tooMuch(address, rights), ...tooLittle(address, rights)]
}

function textsIn(value: unknown, name: string): string[] {
  return listIn(value, name).map(String)
}

function listIn(value: unknown, name: string): unknown[] {
  const member: unknown = isJsonObject(value) ? value[name] : undefined
  if (Array.isArray(member)) return member
  return member === undefined ? [] : [member]
}

function memberOf(value: unknown, name: string): JsonObject {
  const member = isJsonObject(value) ? value[name] : undefined
  return isJsonObject(member) ? member : {}
}
