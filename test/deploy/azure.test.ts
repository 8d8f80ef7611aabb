/**
 * examples/deploy/azure-functions and examples/deploy/vercel, and that their checkers find mistakes.
 */
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { deploy, inRepository, mistakesInVariables, planted } from './artefacts.ts'
import { mistakesInArm, mistakesInHost, settingsIn } from './azure.ts'
import { anything, count, mistakesOfShape, type Shape, text } from './shapes.ts'

function check(each: string): string[] {
  return [...mistakesInArm(JSON.parse(each)), ...mistakesInVariables(settingsIn(JSON.parse(each)))]
}

describe('the template of Azure', () => {
  const given = deploy('azure-functions/azuredeploy.json')

  it('is right', () => {
    expect(check(given)).toEqual([])
    expect(settingsIn(JSON.parse(given))).toEqual(['CACHE_TTL', 'CACHE_STORE'])
  })

  it.each([
    [
      'a misspelt property',
      '"clientProtocol"',
      '"protocol"',
      'Microsoft.Cache/redisEnterprise/databases.properties: has an unknown protocol',
    ],
    ['a property of the site that is none', '"scaleAndConcurrency"', '"scale"', 'functionAppConfig: has an unknown scale'],
    ['no version', '      "apiVersion": "2024-04-01",\n', '', 'has no apiVersion'],
    ['an unknown type', '"Microsoft.Web/serverfarms",', '"Microsoft.Web/serverFarm",', 'Microsoft.Web/serverFarm: is of no known type'],
    ['a value that cannot be', '"properties": { "reserved": true', '"properties": { "reserved": "yes"', 'must be true or false'],
    ['no encryption on the way', '"Encrypted"', '"Plaintext"', 'clientProtocol: must be one of Encrypted'],
    ['plain HTTP', '"httpsOnly": true', '"httpsOnly": false', 'httpsOnly: must be one of true'],
    ['keys of the storage', '"allowSharedKeyAccess": false', '"allowSharedKeyAccess": true', 'allowSharedKeyAccess: must be one of false'],
    ['a policy that needs a client of clusters', '"EnterpriseCluster"', '"OSSCluster"', 'clusteringPolicy: must be one of'],
    ['a parameter that is not there', "parameters('location')", "parameters('place')", 'refers to place, which is not there'],
    ['a variable that is not there', "variables('storage')", "variables('store')", 'refers to store, which is not there'],
    [
      'a resource that is not there',
      "resourceId('Microsoft.Web/serverfarms'",
      "resourceId('Microsoft.Web/serverFarms'",
      'refers to Microsoft.Web/serverFarms',
    ],
    ['a function that is none', 'uriComponent(', 'encode(', 'encode() is no function'],
    ['a bracket too few', 'resourceGroup().id))]', 'resourceGroup().id)]', 'has a bracket too many or too few'],
    [
      'the role of an owner',
      'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
      '8e3af657-a8ff-443c-a75c-2fe8c4bcb635',
      'gives a role that it need not have',
    ],
    ['a role for the whole group', '"scope"', '"description"', 'Microsoft.Authorization/roleAssignments: has no scope'],
    ['a misspelt variable of the environment', '"CACHE_STORE"', '"CACHE_STOER"', 'CACHE_STOER'],
    ['no variable for the store', '"CACHE_STORE"', '"CACHE_TTL_PLAN"', 'names no store'],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(check(planted(given, right, wrong))).toEqual(expect.arrayContaining([expect.stringContaining(said)]))
  })
})

describe('host.json', () => {
  const given = deploy('azure-functions/host.json')
  it('is right', () => {
    expect(mistakesInHost(JSON.parse(given))).toEqual([])
  })

  it.each([
    ['a misspelt property', 'routePrefix', 'routePrefiks', 'host.extensions.http: has an unknown routePrefiks'],
    ['another version', '"version": "2.0"', '"version": "4.0"', 'host.version: must be one of 2.0'],
    ['a time that is none', '00:10:00', '10m', 'host.functionTimeout: must be a time such as 00:10:00'],
    ['a range that is none', '[4.0.0, 5.0.0)', '4.x', 'host.extensionBundle.version: must be a range'],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(mistakesInHost(JSON.parse(planted(given, right, wrong)))).toEqual([expect.stringContaining(said)])
  })
})

/** The platforms that ask a package.json where the entry is. */
describe.each(['azure-functions', 'cloud-functions'])('the package of %s', (folder) => {
  const given = deploy(`${folder}/package.json`)
  const checkPackage = (each: string): string[] => {
    const { main, type, dependencies } = JSON.parse(each)
    const entry = existsSync(inRepository(`examples/deploy/${folder}/${main}`)) ? deploy(`${folder}/${main}`) : undefined
    const used = [...(entry ?? '').matchAll(/ from '([^'.][^']*)'/g)].map(([, name = '']) => name)
    return [
      ...(entry === undefined ? [`no such entry ${main}`] : []),
      ...(type === 'module' ? [] : ['is no package of modules']),
      ...used.filter((name) => dependencies[name] === undefined).map((name) => `lacks ${name}`),
    ]
  }

  it('is right', () => {
    expect(checkPackage(given)).toEqual([])
  })

  it.each([
    ['a wrong entry', '.js"', '.mjs"', 'no such entry'],
    ['no modules', '"module"', '"commonjs"', 'is no package of modules'],
    ['a misspelt package', '"llmemo-gateway"', '"llmemo-gatway"', 'lacks llmemo-gateway'],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(checkPackage(planted(given, right, wrong))).toEqual([expect.stringContaining(said)])
  })
})

/** Source: https://vercel.com/docs/project-configuration */
const vercel: Shape = {
  $schema: text,
  functions: { '*': { maxDuration: count, memory: count, runtime: text, includeFiles: text, excludeFiles: text, regions: [text] } },
  rewrites: [{ 'source!': text, 'destination!': text, has: anything, missing: anything }],
  headers: anything,
  regions: [text],
}

function isInVercel(path: string): boolean {
  return existsSync(inRepository(`examples/deploy/vercel/${path}`))
}

function checkVercel(each: string): string[] {
  const given = JSON.parse(each)
  const targets = given.rewrites?.map(({ destination }: { destination: string }) => `${destination.slice(1)}.js`) ?? []
  return [
    ...mistakesOfShape('vercel', given, vercel),
    ...[...Object.keys(given.functions ?? {}), ...targets].filter((path) => !isInVercel(path)).map((path) => `no such function ${path}`),
  ]
}

describe('vercel.json', () => {
  const given = deploy('vercel/vercel.json')
  it('is right', () => {
    expect(checkVercel(given)).toEqual([])
  })

  it.each([
    ['a misspelt property', 'maxDuration', 'maximumDuration', 'vercel.functions.api/gateway.js: has an unknown maximumDuration'],
    ['a function that is not there', 'api/gateway.js', 'api/index.js', 'no such function api/index.js'],
    ['a target that is not there', '/api/gateway"', '/api/gate"', 'no such function api/gate.js'],
    ['no source', '"source"', '"from"', 'vercel.rewrites[0]: has no source'],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(checkVercel(planted(given, right, wrong))).toEqual(expect.arrayContaining([expect.stringContaining(said)]))
  })
})
