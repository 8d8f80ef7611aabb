/**
 * examples/deploy/terraform, and that its checker finds mistakes.
 */
import { describe, expect, it } from 'vitest'
import { attributeNames } from '../../src/stores/dynamodb/items.ts'
import { deploy, isHandler, mistakesInVariables, planted } from './artefacts.ts'
import { functionsIn, mistakesInTerraform } from './terraform.ts'

const text = deploy('terraform/main.tf.json')

function check(each: string, dashboard = deploy('terraform/dashboard.json')): string[] {
  const file = JSON.parse(each)
  const functions = functionsIn(file)
  return [
    ...mistakesInTerraform(file, (name) => (name === 'dashboard.json' ? dashboard : deploy(`terraform/${name}`))),
    ...functions.filter(({ handler }) => !isHandler(handler)).map(() => 'no such handler'),
    ...functions.flatMap(({ variables }) => mistakesInVariables(variables)),
  ]
}

describe('the file of Terraform', () => {
  it('is right', () => {
    expect(check(text)).toEqual([])
  })

  it.each([
    ['a misspelt argument', '"memory_size"', '"memory_sise"', 'aws_lambda_function.gateway: has an unknown memory_sise'],
    [
      'a misspelt argument in a block',
      '"kms_key_arn"',
      '"kms_key"',
      'aws_dynamodb_table.answers.server_side_encryption: has an unknown kms_key',
    ],
    ['a missing argument', '"authorization_type": "NONE",', '', 'aws_lambda_function_url.gateway: has no authorization_type'],
    ['a value that cannot be', '"RESPONSE_STREAM"', '"STREAM"', 'gateway.invoke_mode: must be one of BUFFERED, RESPONSE_STREAM'],
    ['a text in place of a number', '"timeout": 120', '"timeout": "two minutes"', 'gateway.timeout: must be a number'],
    ['an unknown type', '"aws_lambda_alias": {', '"aws_lambda_allias": {', 'aws_lambda_allias.live: is of no known type'],
    ['an unknown block', '"output": {', '"outputs": {', 'main: has an unknown outputs'],
    ['a resource that is not there', '"${aws_kms_key.answers.arn}"', '"${aws_kms_key.answer.arn}"', /refers to aws_kms_key\.answer\.arn/],
    [
      'an attribute that is not there',
      'function.gateway.version',
      'function.gateway.versions',
      /refers to aws_lambda_function\.gateway\.versions/,
    ],
    ['a variable that is not there', 'var.package)', 'var.file)', /refers to var\.file/],
    ['data that is not there', 'document.rights.json', 'document.right.json', /refers to data\.aws_iam_policy_document\.right\.json/],
    [
      'a dependency that is not there',
      '["aws_iam_role_policy.gateway"]',
      '["aws_iam_role_policy.gate"]',
      /refers to aws_iam_role_policy\.gate,/,
    ],
    ['a wildcard', '"dynamodb:GetItem"', '"dynamodb:*"', 'data.aws_iam_policy_document.rights: may dynamodb:*'],
    ['the right to read everything', '"dynamodb:GetItem"', '"dynamodb:Scan"', /rights: may dynamodb:Scan/],
    ['every table', '["${aws_dynamodb_table.answers.arn}"]', '["*"]', /rights: may do so to \*/],
    [
      'every index of a table',
      'answers.arn}"]\n          },\n          {',
      'answers.arn}/*"]\n          },\n          {',
      /rights: may do so to .*\/\*/,
    ],
    ['a missing right', '"dynamodb:UpdateItem",', '', 'data.aws_iam_policy_document.rights: may not dynamodb:UpdateItem'],
    ['a wrong handler', 'lambda.streamHandler', 'lambda.handler', 'no such handler'],
    ['no variable for the store', '"DYNAMODB_TABLE"', '"CACHE_TTL_PLAN"', 'names no store'],
    ['a misspelt variable of the environment', '"CACHE_TTL"', '"CACHE_TLL"', 'CACHE_TLL'],
    ['a metric that there is not', '"metric_name": "Errors"', '"metric_name": "Error"', 'reads AWS/Lambda Error, which is no metric'],
    ['a dimension that a metric has not', '"dimensions": { "TableName"', '"dimensions": { "Table"', 'reads ReadThrottleEvents by Table,'],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(check(planted(text, right, wrong))).toEqual(expect.arrayContaining([expect.stringMatching(said)]))
  })

  it.each([
    [
      'a metric that there is not',
      '"CostSaved"',
      '"SavedCost"',
      'aws_cloudwatch_dashboard.answers: reads llmemo SavedCost, which is no metric',
    ],
    ['a dimension that a metric has not', '"TableName"', '"Table"', 'aws_cloudwatch_dashboard.answers: reads ReadThrottleEvents by Table,'],
    ['a name that it is not given', '${table}', '${answers}', 'aws_cloudwatch_dashboard.answers: is not given answers'],
  ])('is wrong with %s in its dashboard', (_name, right, wrong, said) => {
    expect(check(text, planted(deploy('terraform/dashboard.json'), right, wrong))).toEqual(
      expect.arrayContaining([expect.stringContaining(said)]),
    )
  })

  it('can go back to a former version', () => {
    expect(JSON.parse(text).resource.aws_lambda_alias.live.function_version).toContain('coalesce(var.live_version,')
  })

  it('encrypts, forgets and can be restored', () => {
    const { key, expires } = attributeNames()
    expect(JSON.parse(text).resource).toMatchObject({
      aws_dynamodb_table: {
        answers: {
          hash_key: key,
          attribute: [{ name: key, type: 'S' }],
          ttl: { attribute_name: expires, enabled: true },
          point_in_time_recovery: { enabled: true },
          server_side_encryption: { enabled: true },
        },
      },
      aws_cloudwatch_log_group: { gateway: { retention_in_days: 30 } },
      aws_cloudwatch_metric_alarm: { hit_rate: { evaluation_periods: 6, threshold: 40, comparison_operator: 'LessThanThreshold' } },
    })
  })
})
