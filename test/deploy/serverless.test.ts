/**
 * examples/deploy/serverless, and that its checker finds mistakes. What osls itself makes of it is tested by `npm run test:cdk`.
 */
import { describe, expect, it } from 'vitest'
import { yamlParse } from 'yaml-cfn'
import { attributeNames } from '../../src/stores/dynamodb/items.ts'
import { deploy, isHandler, mistakesInVariables, planted } from './artefacts.ts'
import { functionsIn, mistakesInService } from './serverless.ts'

const text = deploy('serverless/serverless.yml')

function check(each: string): string[] {
  const service = yamlParse(each)
  const functions = functionsIn(service)
  return [
    ...mistakesInService(service),
    ...functions.filter(({ handler }) => !isHandler(handler)).map(() => 'no such handler'),
    ...functions.flatMap(({ variables }) => mistakesInVariables(variables)),
  ]
}

describe('the service of osls', () => {
  it('is right', () => {
    expect(check(text)).toEqual([])
  })

  it.each([
    ['a misspelt property', 'memorySize:', 'memorySise:', 'service.provider: has an unknown memorySise'],
    ['a misspelt property of a function', 'invokeMode:', 'mode:', 'service.functions.gateway.url: has an unknown mode'],
    ['a misspelt property of a resource', 'EnableKeyRotation:', 'KeyRotation:', 'Key: has an unknown property KeyRotation'],
    ['a value that cannot be', 'architecture: arm64', 'architecture: arm', 'service.provider.architecture: must be one of arm64, x86_64'],
    ['no functions', 'functions:', 'function:', 'service: has no functions'],
    ['a wildcard', 'dynamodb:GetItem', "'dynamodb:*'", 'service: may dynamodb:*'],
    ['the right to read everything', 'dynamodb:GetItem', 'dynamodb:Scan', 'service: may dynamodb:Scan'],
    ['every table', 'Resource: !GetAtt Table.Arn', "Resource: '*'", 'service: may do so to *'],
    ['a missing right', '            - dynamodb:DeleteItem\n', '', 'service: may not dynamodb:DeleteItem'],
    ['a right to a table that is not there', '!GetAtt Table.Arn', '!GetAtt Tabel.Arn', 'GatewayLambdaFunction: refers to Tabel,'],
    ['a variable with a table that is not there', '!Ref Table', '!Ref Tabel', 'GatewayLambdaFunction: refers to Tabel,'],
    ['an alarm on a function that is not there', '!Ref GatewayLambdaFunction', '!Ref Gateway', 'ErrorAlarm: refers to Gateway, which'],
    ['a metric that there is not', 'MetricName: Errors', 'MetricName: Error', 'ErrorAlarm: reads AWS/Lambda Error, which is no metric'],
    ['a log that is not there', '!Ref GatewayLogGroup', '!Ref Log', 'StoreLeftOut: refers to Log, which is not there'],
    ['a wrong handler', 'lambda.streamHandler', 'lambda.handler', 'no such handler'],
    ['no variable for the store', '    DYNAMODB_TABLE: !Ref Table\n', '', 'names no store'],
    ['a misspelt variable', 'CACHE_TTL:', 'CACHE_TLL:', 'CACHE_TLL'],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(check(planted(text, right, wrong))).toEqual(expect.arrayContaining([expect.stringContaining(said)]))
  })

  it('rings at errors, refusals, few hits, and while the table is left out', () => {
    const { Resources: resources } = yamlParse(text).resources
    const alarms = Object.entries<{ Type: string }>(resources).filter(([, { Type: type }]) => type === 'AWS::CloudWatch::Alarm')
    expect(alarms.map(([name]) => name)).toEqual(['ErrorAlarm', 'ThrottleAlarm', 'StoreAlarm', 'HitRateAlarm'])
    expect(resources.HitRateAlarm.Properties).toMatchObject({
      EvaluationPeriods: 6,
      Threshold: 40,
      ComparisonOperator: 'LessThanThreshold',
    })
  })

  it('encrypts, forgets and can be restored', () => {
    const { key, expires } = attributeNames()
    expect(yamlParse(text)).toMatchObject({
      provider: { logRetentionInDays: 30 },
      resources: {
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
        },
      },
    })
  })
})
