/**
 * A checker of CloudFormation and SAM templates, by AWS's own description of its resources.
 * @module
 */
import { createRequire } from 'node:module'
import { isJsonObject, type JsonObject } from '../../src/json/object.ts'

/** The part of a resource's description that is read. */
interface Described {
  readonly properties: Readonly<Record<string, Property>>
}
interface Property {
  readonly type: PropertyType
  readonly required?: boolean
}
interface PropertyType {
  readonly type: string
  readonly element?: PropertyType
  readonly reference?: { readonly $ref: string }
  readonly allowedValues?: readonly unknown[]
}
interface Database {
  lookup(entity: 'resource', index: 'cloudFormationType', kind: 'equals', name: string): readonly Described[]
  get(entity: 'typeDefinition', id: unknown): Described
}

// The package is CommonJS, and its types need two more packages.
const { loadAwsServiceSpecSync }: { loadAwsServiceSpecSync: () => Database } = createRequire(import.meta.url)('@aws-cdk/aws-service-spec')
let loaded: Database | undefined

/** Attributes of a resource beside its properties. */
const beside = new Set(['Type', 'Properties', 'DependsOn', 'DeletionPolicy', 'UpdateReplacePolicy', 'Metadata', 'Condition'])

/** Everything wrong with a template, one sentence each. */
export function mistakesInTemplate(template: unknown): string[] {
  const resources = memberOf(template, 'Resources')
  const parameters = memberOf(template, 'Parameters')
  const made = Object.keys(resources).flatMap((name) => [name, `${name}Url`, `${name}Role`, `${name}Aliaslive`])
  const names = new Set([...made, ...Object.keys(parameters)])
  const entries = Object.entries(resources)
  const dangling = entries.flatMap(([name, resource]) =>
    danglingIn(resource, names).map((each) => `${name}: refers to ${each}, which is not there`),
  )
  return entries.flatMap(([name, resource]) => resourceMistakes(name, resource)).concat(dangling)
}

function resourceMistakes(name: string, resource: unknown): string[] {
  const type = isJsonObject(resource) ? resource['Type'] : undefined
  loaded ??= loadAwsServiceSpecSync()
  const described = typeof type === 'string' ? describedAs(loaded, type) : undefined
  if (described === undefined) return [`${name}: is of no known type`]
  const unknown = Object.keys(memberOf({ resource }, 'resource')).filter((each) => !beside.has(each))
  return [
    ...unknown.map((each) => `${name}: has an unknown attribute ${each}`),
    ...mistakesIn(name, memberOf(resource, 'Properties'), described),
  ]
}

/** SAM hands properties that it does not know on to the function that it makes. */
function describedAs(database: Database, type: string): Described | undefined {
  const [described] = database.lookup('resource', 'cloudFormationType', 'equals', type)
  if (described === undefined || type !== 'AWS::Serverless::Function') return described
  const made = describedAs(database, 'AWS::Lambda::Function')?.properties ?? {}
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
  if (type === 'ref' && reference !== undefined && loaded !== undefined) {
    return isJsonObject(value) ? mistakesIn(path, value, loaded.get('typeDefinition', reference.$ref)) : [`${path}: must be an object`]
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
  const { Ref: ref, 'Fn::GetAtt': attribute, 'Fn::Sub': text } = value
  const target: unknown = Array.isArray(attribute) ? attribute[0] : attribute
  const inText = typeof text === 'string' ? [...text.matchAll(/\$\{(\w+)[.\w]*\}/g)].map(([, name]) => name) : []
  const found = [ref, typeof target === 'string' ? target.split('.')[0] : undefined, ...inText]
  const dangling = found.filter((each): each is string => typeof each === 'string' && !each.startsWith('AWS::') && !names.has(each))
  return [...dangling, ...Object.values(value).flatMap((each) => danglingIn(each, names))]
}

/** What a role may do that is more than it should: a wildcard, or reading the whole table. */
export function tooMuchIn(template: unknown): string[] {
  return Object.entries(memberOf(template, 'Resources')).flatMap(([name, resource]) => {
    const policies: unknown = memberOf(resource, 'Properties')['Policies']
    const statements = Array.isArray(policies) ? policies.flatMap((policy: unknown) => listIn(policy, 'Statement')) : []
    const actions = statements.flatMap((statement) => listIn(statement, 'Action').map(String))
    const places = statements.flatMap((statement) => listIn(statement, 'Resource').map(String))
    const tooMuch = actions.filter((action) => /\*|Scan/.test(action)).map((action) => `${name}: may ${action}`)
    return tooMuch.concat(places.filter((place) => place.includes('*')).map((place) => `${name}: may do so to ${place}`))
  })
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
