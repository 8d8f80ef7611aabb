/**
 * A checker of serverless.yml: its own part by its shape, and what it asks of CloudFormation as the template that it becomes.
 * Source of the shape: https://github.com/oss-serverless/osls/tree/4.x/docs/guides
 * @module
 */
import { isJsonObject, type JsonObject } from '../../src/json/object.ts'
import { mistakesInTemplate } from './cloudformation.ts'
import { tooLittle, tooMuch } from './rights.ts'
import { anything, count, flag, like, mistakesOfShape, oneOf, type Shape, text } from './shapes.ts'

const runtime = like(/^nodejs\d+\.x$/, 'a runtime of Node.js')
const architecture = oneOf('arm64', 'x86_64')
const environment = { '*': anything }

const statement = { 'Effect!': oneOf('Allow', 'Deny'), 'Action!': [text], 'Resource!': anything, Sid: text, Condition: anything } as const

/** The part of a service that is the framework's own, as far as it is used here. */
const shape: Shape = {
  'service!': text,
  frameworkVersion: text,
  configValidationMode: oneOf('error', 'warn', 'off'),
  'provider!': {
    'name!': oneOf('aws'),
    region: text,
    stage: text,
    runtime,
    architecture,
    memorySize: count,
    timeout: count,
    logRetentionInDays: count,
    environment,
    iam: { role: { statements: [statement] } },
  },
  package: { patterns: [text], individually: flag },
  'functions!': {
    '*': {
      'handler!': text,
      runtime,
      architecture,
      memorySize: count,
      timeout: count,
      environment,
      url: { authorizer: oneOf('aws_iam'), cors: anything, invokeMode: oneOf('BUFFERED', 'RESPONSE_STREAM') },
      events: anything,
      description: text,
    },
  },
  resources: { Resources: { '*': anything }, Outputs: anything },
}

/** Everything wrong with a service, one sentence each. */
export function mistakesInService(service: JsonObject): string[] {
  const provider = memberOf(service, 'provider')
  const given = memberOf(memberOf(provider, 'iam'), 'role')['statements']
  const statements = Array.isArray(given) ? given.filter(isJsonObject) : []
  const rights = statements.map(({ Action: actions, Resource: resource }) => ({
    actions: listOf(actions).map(String),
    resources: listOf(resource).map((place) => (typeof place === 'string' ? place : JSON.stringify(place))),
  }))
  return [
    ...mistakesOfShape('service', service, shape, (value) => value.includes('${')),
    ...mistakesInTemplate({ Resources: { ...functionsOf(service), ...memberOf(memberOf(service, 'resources'), 'Resources') } }),
    ...tooMuch('service', rights),
    ...tooLittle('service', rights),
  ]
}

/** The functions, as far as others check them. */
export function functionsIn(service: JsonObject): { readonly handler: string; readonly variables: readonly string[] }[] {
  const common = Object.keys(memberOf(memberOf(service, 'provider'), 'environment'))
  return Object.values(memberOf(service, 'functions')).map((each) => ({
    handler: String(memberOf({ each }, 'each')['handler']),
    variables: [...common, ...Object.keys(memberOf(each, 'environment'))],
  }))
}

/** What osls makes of each function, under the name that it gives. */
function functionsOf(service: JsonObject): JsonObject {
  const provider = memberOf(service, 'provider')
  const names = Object.keys(memberOf(service, 'functions')).map((name) => `${name.charAt(0).toUpperCase()}${name.slice(1)}`)
  const logs = names.map((name) => [`${name}LogGroup`, { Type: 'AWS::Logs::LogGroup' }])
  const made = names.map((name) => [
    `${name}LambdaFunction`,
    {
      Type: 'AWS::Lambda::Function',
      // What the statements refer to must be there as well, so they go along with the code.
      Properties: {
        Code: {},
        Role: { 'Fn::Join': ['', [memberOf(provider, 'iam')]] },
        Environment: { Variables: memberOf(provider, 'environment') },
      },
    },
  ])
  return Object.fromEntries([...logs, ...made])
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value]
}

function memberOf(value: unknown, name: string): JsonObject {
  const member = isJsonObject(value) ? value[name] : undefined
  return isJsonObject(member) ? member : {}
}
