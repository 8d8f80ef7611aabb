/**
 * A checker of CloudFormation and SAM templates, by AWS's own description of its resources.
 * @module
 */
import { isJsonObject, type JsonObject } from '../../src/json/object.ts'
import { awsSpec, type Described, type PropertyType } from './aws-spec.ts'
import { metricsInDashboard, mistakesInMetrics, type ReadMetric } from './cloudwatch.ts'
import { type Statement, tooMuch } from './rights.ts'

/** Attributes of a resource beside its properties. */
const beside = new Set([
  'Type',
  'Properties',
  'DependsOn',
  'DeletionPolicy',
  'UpdateReplacePolicy',
  'UpdatePolicy',
  'Metadata',
  'Condition',
])

/** Everything wrong with a template, one sentence each. */
export function mistakesInTemplate(template: unknown): string[] {
  const resources = memberOf(template, 'Resources')
  const parameters = memberOf(template, 'Parameters')
  const made = Object.keys(resources).flatMap((name) => [name, `${name}Url`, `${name}Role`, `${name}Aliaslive`])
  const names = new Set([...made, ...Object.keys(parameters)])
  const conditions = new Set(Object.keys(memberOf(template, 'Conditions')))
  const entries = Object.entries(resources)
  const others = ['Conditions', 'Outputs'].flatMap((section) => Object.entries(memberOf(template, section)))
  const dangling = [...entries, ...others].flatMap(([name, part]) =>
    [...danglingIn(part, names), ...noConditionsIn(part, conditions)].map((each) => `${name}: refers to ${each}, which is not there`),
  )
  const ofResources = entries.flatMap(([name, resource]) => resourceMistakes(name, resource))
  return [...ofResources, ...dangling, ...mistakesInMetrics(entries.flatMap(([name, resource]) => metricsIn(name, resource)))]
}

function resourceMistakes(name: string, resource: unknown): string[] {
  const type = isJsonObject(resource) ? resource['Type'] : undefined
  const described = typeof type === 'string' ? describedAs(type) : undefined
  if (described === undefined) return [`${name}: is of no known type`]
  const unknown = Object.keys(memberOf({ resource }, 'resource')).filter((each) => !beside.has(each))
  return [
    ...unknown.map((each) => `${name}: has an unknown attribute ${each}`),
    ...mistakesIn(name, memberOf(resource, 'Properties'), described),
  ]
}

/** SAM hands properties that it does not know on to the function that it makes. */
function describedAs(type: string): Described | undefined {
  const [described] = awsSpec().lookup('resource', 'cloudFormationType', 'equals', type)
  if (described === undefined || type !== 'AWS::Serverless::Function') return described
  const made = describedAs('AWS::Lambda::Function')?.properties ?? {}
  const optional = Object.fromEntries(Object.entries(made).map(([name, { type: of }]) => [name, { type: of }]))
  return { properties: { ...optional, ...described.properties } }
}

function mistakesIn(path: string, given: JsonObject, { properties }: Described): string[] {
  const unknown = Object.keys(given).filter((name) => properties[name] === undefined)
  const missing = Object.entries(properties).filter(([name, { required }]) => required === true && given[name] === undefined)
  const below = Object.entries(given).flatMap(([name, value]) => {
    const property = properties[name]
    return property === undefined ? [] : valueMistakes(`${path}.${name}`, value, property.type)
  })
  return [
    ...unknown.map((name) => `${path}: has an unknown property ${name}`),
    ...missing.map(([name]) => `${path}: has no ${name}`),
    ...below,
  ]
}

function valueMistakes(path: string, value: unknown, { type, element, reference, allowedValues }: PropertyType): string[] {
  if (isFunction(value)) return []
  if (allowedValues !== undefined && !allowedValues.includes(value)) return [`${path}: is none of ${allowedValues.join(', ')}`]
  if (type === 'array' && element !== undefined) {
    if (!Array.isArray(value)) return [`${path}: must be a list`]
    return value.flatMap((each: unknown, index) => valueMistakes(`${path}[${index}]`, each, element))
  }
  if (type === 'ref' && reference !== undefined) {
    return isJsonObject(value) ? mistakesIn(path, value, awsSpec().get('typeDefinition', reference.$ref)) : [`${path}: must be an object`]
  }
  return []
}

/** Whether a value is one that CloudFormation makes: `!Ref`, `!GetAtt`, `!Sub`. */
function isFunction(value: unknown): value is JsonObject {
  const names = isJsonObject(value) ? Object.keys(value) : []
  return names.length === 1 && /^(?:Ref|Fn::\w+)$/.test(names[0] ?? '')
}

function danglingIn(value: unknown, names: ReadonlySet<string>): string[] {
  if (Array.isArray(value)) return value.flatMap((each: unknown) => danglingIn(each, names))
  if (!isJsonObject(value)) return []
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Sub': replaced } = value
  const target: unknown = Array.isArray(attribute) ? attribute[0] : attribute
  const [text, given]: unknown[] = Array.isArray(replaced) ? replaced : [replaced]
  const own = new Set(Object.keys(isJsonObject(given) ? given : {}))
  const named = typeof text === 'string' ? [...text.matchAll(/\$\{(\w+)[.\w]*\}/g)].map(([, name = '']) => name) : []
  const inText = named.filter((name) => !own.has(name))
  const found = [ref, typeof target === 'string' ? target.split('.')[0] : undefined, ...inText]
  const dangling = found.filter((each): each is string => typeof each === 'string' && !each.startsWith('AWS::') && !names.has(each))
  return [...dangling, ...Object.values(value).flatMap((each) => danglingIn(each, names))]
}

/** Conditions by which something is chosen, and which there are not. */
function noConditionsIn(value: unknown, conditions: ReadonlySet<string>): string[] {
  if (Array.isArray(value)) return value.flatMap((each: unknown) => noConditionsIn(each, conditions))
  if (!isJsonObject(value)) return []
  const { 'Fn::If': chosen, Condition: condition } = value
  const named: unknown[] = [Array.isArray(chosen) ? chosen[0] : undefined, condition]
  const missing = named.filter((each): each is string => typeof each === 'string' && !conditions.has(each))
  return [...missing, ...Object.values(value).flatMap((each) => noConditionsIn(each, conditions))]
}

/** The metrics that an alarm or a dashboard reads. */
function metricsIn(name: string, resource: unknown): ReadMetric[] {
  const {
    DashboardBody: body,
    Metrics: queries,
    Namespace: namespace,
    MetricName: metric,
    Dimensions: given,
  } = memberOf(resource, 'Properties')
  if (body !== undefined) return metricsInDashboard(name, textOf(body))
  const single =
    namespace === undefined || metric === undefined ? [] : [{ by: name, namespace, name: metric, dimensions: dimensionsIn(given) }]
  const several = (Array.isArray(queries) ? queries : []).flatMap((query: unknown) => {
    const read = memberOf(memberOf(query, 'MetricStat'), 'Metric')
    if (Object.keys(read).length === 0) return []
    return [{ by: name, namespace: read['Namespace'], name: read['MetricName'], dimensions: dimensionsIn(read['Dimensions']) }]
  })
  return [...single, ...several]
}

/** A text, before anything in it is replaced. */
function textOf(value: unknown): string {
  const { 'Fn::Sub': replaced, 'Fn::Join': joined }: JsonObject = isJsonObject(value) ? value : { 'Fn::Sub': value }
  if (!Array.isArray(joined)) return String(Array.isArray(replaced) ? replaced[0] : replaced)
  return listIn({ parts: joined[1] }, 'parts')
    .map((part) => (typeof part === 'string' ? part : 'replaced'))
    .join(String(joined[0]))
}

function dimensionsIn(list: unknown): string[] {
  return Array.isArray(list) ? list.map((each: unknown) => String(Object(each).Name)) : []
}

/** What a role may do that is more than it should: a wildcard, or reading the whole table. */
export function tooMuchIn(template: unknown): string[] {
  return Object.entries(memberOf(template, 'Resources')).flatMap(([name, resource]) => tooMuch(name, statementsIn(resource)))
}

/** The statements of SAM's functions, of roles and of policies. */
export function statementsIn(resource: unknown): Statement[] {
  const properties = memberOf(resource, 'Properties')
  const inline: unknown = properties['Policies']
  const policies = Array.isArray(inline) ? inline : []
  const documents = [...policies, ...policies.map((policy: unknown) => memberOf(policy, 'PolicyDocument')), properties['PolicyDocument']]
  return documents
    .flatMap((document: unknown) => listIn(document, 'Statement'))
    .filter((statement) => Object(statement).Effect !== 'Deny')
    .map((statement) => ({
      actions: [...listIn(statement, 'Action').map(String), ...allBut(statement, 'NotAction')],
      resources: [...listIn(statement, 'Resource').map(placeOf), ...allBut(statement, 'NotResource')],
    }))
}

/** All but a few is a wildcard in other words. */
function allBut(statement: unknown, name: string): string[] {
  return listIn(statement, name).map((each) => `* but ${placeOf(each)}`)
}

function placeOf(place: unknown): string {
  return typeof place === 'string' ? place : JSON.stringify(place)
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
