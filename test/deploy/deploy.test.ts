/**
 * What examples/deploy holds, each by a checker, and for each checker that it finds a mistake.
 */
import { globSync } from 'node:fs'
import { parse, parseAllDocuments } from 'yaml'
import { yamlParse } from 'yaml-cfn'
import { describe, expect, it } from 'vitest'
import { attributeNames } from '../../src/stores/dynamodb/items.ts'
import { deploy, inRepository, isHandler, mistakesInVariables, planted } from './artefacts.ts'
import { mistakesInTemplate, tooMuchIn } from './cloudformation.ts'
import { dangersIn, mistakesInManifests } from './kubernetes.ts'

function checkTemplate(each: string): string[] {
  const template: unknown = yamlParse(each)
  const handlers = [...each.matchAll(/Handler: (\S+)/g)].map(([, handler = '']) => handler)
  const missing = handlers.filter((handler) => !isHandler(handler)).map(() => 'no such handler')
  const blocks = [...each.matchAll(/Variables:\n((?: {10}\S.*\n)+)/g)].map(([, block = '']) => block)
  const variables = blocks.flatMap((block) => mistakesInVariables([...block.matchAll(/^ +(\w+):/gm)].map(([, variable = '']) => variable)))
  return [...mistakesInTemplate(template), ...tooMuchIn(template), ...missing, ...variables]
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
    ['every table', 'table/${GlobalTable}', 'table/*', /Gateway: may do so to .*table\/\*/],
    ['everything', '!GetAtt Key.Arn\n      FunctionUrlConfig', "'*'\n      FunctionUrlConfig", 'Gateway: may do so to *'],
    ['a condition that is not there', '!If [HasOwnTable', '!If [OwnTable', 'Gateway: refers to OwnTable, which is not there'],
    [
      'an output of what is not there',
      '!GetAtt GatewayUrl.FunctionUrl',
      '!GetAtt Url.FunctionUrl',
      'Url: refers to Url, which is not there',
    ],
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
    ['no variable for the store', '          DYNAMODB_TABLE: !If [HasOwnTable, !Ref Table, !Ref GlobalTable]\n', '', 'names no store'],
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

describe('the table for several regions', () => {
  const text = deploy('sam/global-table.yaml')

  it('is right: in each region restorable, encrypted, and made as the store needs it', () => {
    expect(checkTemplate(text)).toEqual([])
    const { key, expires } = attributeNames()
    const replica = { DeletionProtectionEnabled: true, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }
    expect(yamlParse(text).Resources.Table).toMatchObject({
      DeletionPolicy: 'Retain',
      Properties: {
        KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
        TimeToLiveSpecification: { AttributeName: expires, Enabled: true },
        SSESpecification: { SSEType: 'KMS' },
        // Without it, DynamoDB makes no second region.
        StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
        Replicas: [replica, replica],
      },
    })
  })

  it.each([
    ['a misspelt property', 'StreamViewType', 'ViewType', 'Table.StreamSpecification: has an unknown property ViewType'],
    ['a misspelt property of a region', 'DeletionProtectionEnabled', 'DeletionProtection', /unknown property DeletionProtection$/],
    ['a region that is not told', '!Ref OtherRegion', '!Ref Other', 'Table: refers to Other, which is not there'],
    ['a copy without a region', '- Region: !Ref OtherRegion\n          Deletion', '- Deletion', 'Table.Replicas\\[1\\]: has no Region'],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(checkTemplate(planted(text, right, wrong))).toEqual(expect.arrayContaining([expect.stringMatching(said)]))
  })
})

/** Whether an object has all that another one has. */
function matches(value: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return value === part
  return Object.entries(part).every(([name, member]) => matches(Object(value)[name], member))
}

function variablesIn(each: string): string[] {
  return [...each.matchAll(/- name: ([A-Z_]+)$/gm)].map(([, name = '']) => name)
}

function checkManifests(each: string): string[] {
  return [...mistakesInManifests(each), ...dangersIn(each)]
}

describe('the manifests of Kubernetes', () => {
  const text = deploy('kubernetes/gateway.yaml')

  it('have the fields of their kinds, meet each other, and need no root', () => {
    expect(checkManifests(text)).toEqual([])
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
    ['a service for no pods', '  selector:\n    app: llmemo-gateway\n', '  selector:\n    app: gateway\n', /Service: selects no pod/],
    ['a port that no container has', 'targetPort: http', 'targetPort: https', /Service: no container has a port https/],
    ['a probe of nothing', 'path: /ready', 'path: /readiness', /Deployment: asks for \/readiness/],
    [
      'a deployment that is not there',
      '    kind: Deployment\n    name: llmemo-gateway',
      '    kind: Deployment\n    name: gateway',
      /scales gateway/,
    ],
    ['a container as root', 'runAsNonRoot: true', 'runAsNonRoot: false', /may run as root/],
    ['a container that may become root', 'allowPrivilegeEscalation: false', 'allowPrivilegeEscalation: true', /may become root/],
  ])('are wrong with %s', (_name, right, wrong, said) => {
    expect(checkManifests(planted(text, right, wrong)).join('\n')).toMatch(said)
  })

  it('parse, and set variables that are read', () => {
    const kinds = parseAllDocuments(text).map((each) => each.toJS().kind)
    expect(kinds).toEqual(['Deployment', 'Service', 'HorizontalPodAutoscaler', 'NetworkPolicy'])
    expect(mistakesInVariables(variablesIn(text))).toEqual([])
    expect(mistakesInVariables(variablesIn(planted(text, '- name: CACHE_TTL', '- name: CACHE_TLL')))).toEqual(['CACHE_TLL'])
    expect(mistakesInVariables(variablesIn(planted(text, '- name: CACHE_STORE', '- name: CACHE_TTL')))).toEqual(['names no store'])
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
    // Cloud Run has a sandbox of its own around each container.
    ...dangersIn(JSON.stringify(deployment)).filter((each) => !each.includes('root')),
    ...(`${apiVersion} ${kind}` === 'serving.knative.dev/v1 Service' ? [] : ['is no service of Cloud Run']),
    ...(Number.isInteger(containerConcurrency) && Number.isInteger(timeoutSeconds) ? [] : ['has no bounds']),
    ...Object.keys(others),
    ...mistakesInVariables(variablesIn(each)),
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
    ['no variable for the store', '- name: CACHE_STORE', '- name: CACHE_TTL', /names no store/],
    ['a probe of nothing', 'path: /ready', 'path: /readyz', /asks for \/readyz/],
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
    'docker/grafana/dashboards.yml',
    'docker/grafana/datasource.yml',
    'docker/prometheus.yml',
    'github/deploy.yml',
    'kubernetes/gateway.yaml',
    'sam/global-table.yaml',
    'sam/template.yaml',
    'serverless/serverless.yml',
    'terraform/dashboard.json',
    'terraform/main.tf.json',
    'vercel/vercel.json',
  ])
})
