/**
 * A checker of templates of Azure Resource Manager, and of `host.json`, by what is known of the resources that are used here.
 * Sources: https://learn.microsoft.com/azure/templates/, https://learn.microsoft.com/azure/azure-resource-manager/templates/syntax,
 * https://learn.microsoft.com/azure/azure-functions/functions-host-json, and for the id of the role
 * https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
 * @module
 */
import { isJsonObject, type JsonObject } from '../../src/json/object.ts'
import { anything, count, flag, like, mistakesOfShape, oneOf, type Shape, text } from './shapes.ts'

const switched = oneOf('Enabled', 'Disabled')

/** What any resource has. */
const common = {
  'type!': text,
  'apiVersion!': like(/^\d{4}-\d\d-\d\d$/, 'a day'),
  'name!': text,
  dependsOn: [text],
  tags: { '*': text },
  condition: anything,
} as const

/** Resources by their type. A property that a resource must have here, though Azure does not ask for it, is one of safety. */
const resources: Readonly<Record<string, Shape>> = {
  'Microsoft.Storage/storageAccounts': {
    ...common,
    'location!': text,
    'kind!': oneOf('StorageV2', 'BlobStorage', 'FileStorage'),
    'sku!': { 'name!': text },
    'properties!': {
      'allowBlobPublicAccess!': oneOf(false),
      'allowSharedKeyAccess!': oneOf(false),
      'minimumTlsVersion!': oneOf('TLS1_2', 'TLS1_3'),
      'supportsHttpsTrafficOnly!': oneOf(true),
      accessTier: text,
    },
  },
  'Microsoft.Storage/storageAccounts/blobServices/containers': { ...common, properties: { publicAccess: oneOf('None') } },
  'Microsoft.Cache/redisEnterprise': {
    ...common,
    'location!': text,
    'sku!': { 'name!': like(/^(?:Balanced|MemoryOptimized|ComputeOptimized|FlashOptimized)_\w+$/, 'a size of Azure Managed Redis') },
    'properties!': { 'minimumTlsVersion!': oneOf('1.2'), highAvailability: switched, publicNetworkAccess: switched, encryption: anything },
    zones: [text],
    identity: anything,
  },
  'Microsoft.Cache/redisEnterprise/databases': {
    ...common,
    'properties!': {
      accessKeysAuthentication: switched,
      'clientProtocol!': oneOf('Encrypted'),
      // A client that knows no cluster can use these two.
      'clusteringPolicy!': oneOf('EnterpriseCluster', 'NoCluster'),
      evictionPolicy: oneOf(
        'AllKeysLFU',
        'AllKeysLRU',
        'AllKeysRandom',
        'VolatileLRU',
        'VolatileLFU',
        'VolatileTTL',
        'VolatileRandom',
        'NoEviction',
      ),
      port: count,
      modules: anything,
      persistence: anything,
    },
  },
  'Microsoft.Web/serverfarms': {
    ...common,
    'location!': text,
    kind: text,
    'sku!': { 'name!': text, tier: text },
    properties: { reserved: flag, zoneRedundant: flag },
  },
  'Microsoft.Web/sites': {
    ...common,
    'location!': text,
    'kind!': like(/functionapp/, 'a function app'),
    identity: { 'type!': oneOf('SystemAssigned', 'UserAssigned', 'SystemAssigned,UserAssigned', 'None'), userAssignedIdentities: anything },
    'properties!': {
      'serverFarmId!': text,
      'httpsOnly!': oneOf(true),
      functionAppConfig: {
        deployment: {
          storage: {
            'type!': oneOf('blobContainer'),
            'value!': text,
            authentication: {
              'type!': oneOf('SystemAssignedIdentity', 'UserAssignedIdentity'),
              userAssignedIdentityResourceId: text,
            },
          },
        },
        scaleAndConcurrency: {
          maximumInstanceCount: count,
          instanceMemoryMB: oneOf(512, 2_048, 4_096),
          alwaysReady: anything,
          triggers: anything,
        },
        runtime: { 'name!': oneOf('node'), 'version!': oneOf('22', '24') },
      },
      siteConfig: {
        minTlsVersion: oneOf('1.2', '1.3'),
        appSettings: [{ 'name!': text, 'value!': text }],
        http20Enabled: flag,
        cors: anything,
      },
    },
  },
  'Microsoft.Authorization/roleAssignments': {
    ...common,
    // Without it, the role holds for all of the group.
    'scope!': text,
    'properties!': { 'roleDefinitionId!': text, 'principalId!': text, 'principalType!': oneOf('ServicePrincipal'), description: text },
  },
}

const parameter = {
  'type!': oneOf('string', 'securestring', 'int', 'bool', 'object', 'array'),
  defaultValue: anything,
  maxLength: count,
  minLength: count,
}

const file: Shape = {
  '$schema!': text,
  'contentVersion!': text,
  metadata: anything,
  parameters: { '*': { ...parameter, allowedValues: anything, metadata: anything } },
  variables: { '*': anything },
  'resources!': [anything],
  outputs: { '*': { 'type!': text, 'value!': anything } },
}

/** Roles that the function may have: to read and write the packages that it is started from. */
const roles = new Set(['b7e6dc6d-f1e8-4753-8033-0f276bb0955b'])

/** Everything wrong with a template, one sentence each. */
export function mistakesInArm(template: JsonObject): string[] {
  const found: unknown = template['resources']
  const list = Array.isArray(found) ? found.filter(isJsonObject) : []
  const types = new Set(list.map(({ type }) => type))
  return [
    ...mistakesOfShape('template', template, file),
    ...list.flatMap((resource) => {
      const type = String(resource['type'])
      const shape = resources[type]
      return shape === undefined ? [`${type}: is of no known type`] : mistakesOfShape(type, resource, shape, isExpression)
    }),
    ...textsIn(template).flatMap((each) => (isExpression(each) ? mistakesInExpression(each, template, types) : [])),
    ...list.filter(({ type }) => type === 'Microsoft.Authorization/roleAssignments').flatMap((each) => roleMistakes(each, template)),
  ]
}

/** The names of the variables that the functions get, without those of the platform. */
export function settingsIn(template: JsonObject): string[] {
  return [...JSON.stringify(template['resources']).matchAll(/\{"name":"(\w+)","value"/g)]
    .map(([, name = '']) => name)
    .filter((name) => !/^AzureWebJobs|^FUNCTIONS_|^APPLICATIONINSIGHTS_/.test(name))
}

const isExpression = (value: string): boolean => value.startsWith('[') && value.endsWith(']')

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

const functions = new Set(
  'concat guid listKeys parameters reference resourceGroup resourceId subscriptionResourceId uniqueString uriComponent variables'.split(
    ' ',
  ),
)

function mistakesInExpression(expression: string, template: JsonObject, types: ReadonlySet<unknown>): string[] {
  const code = expression.replaceAll(/'[^']*'/g, "''")
  const unknown = [...code.matchAll(/(\w+)\(/g)].map(([, name = '']) => name).filter((name) => !functions.has(name))
  const named = (kind: string): string[] =>
    [...expression.matchAll(new RegExp(`\\b${kind}\\('(\\w+)'\\)`, 'g'))]
      .map(([, name = '']) => name)
      .filter((name) => Object(template[kind])[name] === undefined)
  const elsewhere = [...expression.matchAll(/\bresourceId\('([^']+)'/g)].map(([, type = '']) => type).filter((type) => !types.has(type))
  const depth = code.split('(').length - code.split(')').length
  return [
    ...unknown.map((name) => `${name}() is no function`),
    ...[...named('parameters'), ...named('variables'), ...elsewhere].map((name) => `refers to ${name}, which is not there`),
    ...(depth === 0 ? [] : ['has a bracket too many or too few']),
  ]
}

function roleMistakes(assignment: JsonObject, template: JsonObject): string[] {
  const role = String(Object(assignment['properties']).roleDefinitionId)
  const [, variable = ''] = /variables\('(\w+)'\)/.exec(role) ?? []
  const id = String(Object(template['variables'])[variable])
  return roles.has(id) ? [] : ['gives a role that it need not have']
}

const sampling = { isEnabled: flag, excludedTypes: text, includedTypes: text, maxTelemetryItemsPerSecond: count }

const host: Shape = {
  'version!': oneOf('2.0'),
  functionTimeout: like(/^(?:-1|\d\d:\d\d:\d\d)$/, 'a time such as 00:10:00'),
  extensions: {
    http: {
      routePrefix: text,
      maxOutstandingRequests: count,
      maxConcurrentRequests: count,
      dynamicThrottlesEnabled: flag,
      customHeaders: { '*': text },
      hsts: anything,
    },
  },
  extensionBundle: { 'id!': text, 'version!': like(/^[[(][\d.]+, [\d.]+[\])]$/, 'a range such as [4.0.0, 5.0.0)') },
  logging: {
    logLevel: { '*': text },
    fileLoggingMode: oneOf('never', 'always', 'debugOnly'),
    applicationInsights: { samplingSettings: sampling, enableLiveMetrics: flag },
  },
  healthMonitor: anything,
  concurrency: anything,
}

/** Everything wrong with `host.json`, one sentence each. */
export function mistakesInHost(given: JsonObject): string[] {
  return mistakesOfShape('host', given, host)
}
