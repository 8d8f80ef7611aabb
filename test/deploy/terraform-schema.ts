/**
 * What of Terraform's AWS provider is used in examples/deploy/terraform: the arguments of each resource, and what else it exports.
 * Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs, and for the whole file
 * https://developer.hashicorp.com/terraform/language/syntax/json
 * @module
 */
import { anything, count, flag, like, oneOf, type Shape, text } from './shapes.ts'

/** A type of resource, or of data that is read. */
export interface Described {
  readonly shape: Shape
  /** Attributes beside the arguments. */
  readonly exports: readonly string[]
}

/** What any resource may have. */
const common = { '//': text, depends_on: [text], count: anything, for_each: anything, lifecycle: anything, provider: text } as const
const tags = { '*': text }
const number = like(/^-?\d+(?:\.\d+)?$/, 'a number as a text')
const comparison = oneOf('GreaterThanOrEqualToThreshold', 'GreaterThanThreshold', 'LessThanThreshold', 'LessThanOrEqualToThreshold')
const statistic = oneOf('SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum')
const metric = { 'metric_name!': text, 'namespace!': text, 'period!': count, 'stat!': text, dimensions: { '*': text }, unit: text }

/** Resources by their type. */
export const resources: Readonly<Record<string, Described>> = {
  aws_kms_key: {
    shape: {
      ...common,
      description: text,
      enable_key_rotation: flag,
      policy: text,
      deletion_window_in_days: count,
      key_usage: text,
      is_enabled: flag,
      multi_region: flag,
      tags,
    },
    exports: ['arn', 'key_id', 'id'],
  },
  aws_dynamodb_table: {
    shape: {
      ...common,
      'name!': text,
      billing_mode: oneOf('PAY_PER_REQUEST', 'PROVISIONED'),
      hash_key: text,
      range_key: text,
      attribute: [{ 'name!': text, 'type!': oneOf('S', 'N', 'B') }],
      ttl: { attribute_name: text, enabled: flag },
      point_in_time_recovery: { 'enabled!': flag, recovery_period_in_days: count },
      server_side_encryption: { 'enabled!': flag, kms_key_arn: text },
      deletion_protection_enabled: flag,
      replica: [{ 'region_name!': text, kms_key_arn: text, point_in_time_recovery: flag, propagate_tags: flag }],
      stream_enabled: flag,
      stream_view_type: text,
      table_class: text,
      tags,
    },
    exports: ['arn', 'id', 'stream_arn'],
  },
  aws_cloudwatch_log_group: {
    shape: { ...common, name: text, name_prefix: text, retention_in_days: count, kms_key_id: text, skip_destroy: flag, tags },
    exports: ['arn', 'id'],
  },
  aws_iam_role: {
    shape: { ...common, name: text, name_prefix: text, 'assume_role_policy!': text, description: text, max_session_duration: count, tags },
    exports: ['arn', 'id', 'unique_id'],
  },
  aws_iam_role_policy: { shape: { ...common, name: text, name_prefix: text, 'role!': text, 'policy!': text }, exports: ['id'] },
  aws_lambda_function: {
    shape: {
      ...common,
      'function_name!': text,
      'role!': text,
      filename: text,
      s3_bucket: text,
      s3_key: text,
      source_code_hash: text,
      handler: text,
      runtime: like(/^nodejs\d+\.x$/, 'a runtime of Node.js'),
      architectures: [oneOf('arm64', 'x86_64')],
      memory_size: count,
      timeout: count,
      publish: flag,
      description: text,
      environment: { variables: { '*': text } },
      logging_config: { 'log_format!': oneOf('Text', 'JSON'), log_group: text, application_log_level: text, system_log_level: text },
      reserved_concurrent_executions: count,
      kms_key_arn: text,
      tags,
    },
    exports: ['arn', 'invoke_arn', 'qualified_arn', 'version', 'id'],
  },
  aws_lambda_alias: {
    shape: { ...common, 'name!': text, 'function_name!': text, 'function_version!': text, description: text, routing_config: anything },
    exports: ['arn', 'invoke_arn'],
  },
  aws_lambda_function_url: {
    shape: {
      ...common,
      'function_name!': text,
      qualifier: text,
      'authorization_type!': oneOf('NONE', 'AWS_IAM'),
      invoke_mode: oneOf('BUFFERED', 'RESPONSE_STREAM'),
      cors: anything,
    },
    exports: ['function_arn', 'function_url', 'url_id'],
  },
  aws_lambda_permission: {
    shape: {
      ...common,
      'action!': like(/^lambda:\w+$/, 'an action of Lambda'),
      'function_name!': text,
      'principal!': text,
      qualifier: text,
      statement_id: text,
      source_arn: text,
      source_account: text,
      function_url_auth_type: oneOf('NONE', 'AWS_IAM'),
      invoked_via_function_url: flag,
    },
    exports: [],
  },
  aws_cloudwatch_log_metric_filter: {
    shape: {
      ...common,
      'name!': text,
      'pattern!': text,
      'log_group_name!': text,
      'metric_transformation!': {
        'name!': text,
        'namespace!': text,
        'value!': text,
        default_value: number,
        dimensions: { '*': text },
        unit: text,
      },
    },
    exports: ['id'],
  },
  aws_cloudwatch_dashboard: { shape: { ...common, 'dashboard_name!': text, 'dashboard_body!': text }, exports: ['dashboard_arn'] },
  aws_cloudwatch_metric_alarm: {
    shape: {
      ...common,
      'alarm_name!': text,
      'comparison_operator!': comparison,
      'evaluation_periods!': count,
      alarm_description: text,
      namespace: text,
      metric_name: text,
      dimensions: { '*': text },
      statistic,
      period: count,
      threshold: count,
      treat_missing_data: oneOf('missing', 'ignore', 'breaching', 'notBreaching'),
      metric_query: [{ 'id!': text, expression: text, label: text, return_data: flag, period: count, metric }],
      alarm_actions: [text],
      ok_actions: [text],
      datapoints_to_alarm: count,
      tags,
    },
    exports: ['arn', 'id'],
  },
}

const statement = {
  sid: text,
  effect: oneOf('Allow', 'Deny'),
  actions: [text],
  resources: [text],
  principals: { 'type!': text, 'identifiers!': [text] },
  condition: { 'test!': text, 'variable!': text, 'values!': [text] },
} as const

/** Data by its type. */
export const data: Readonly<Record<string, Described>> = {
  aws_caller_identity: { shape: common, exports: ['account_id', 'arn', 'user_id'] },
  aws_partition: { shape: common, exports: ['partition', 'dns_suffix'] },
  aws_iam_policy_document: { shape: { ...common, 'statement!': anything, version: text }, exports: ['json', 'minified_json'] },
}

/** One statement of a policy document. */
export const statementShape: Shape = statement

/** The file, without what is in its blocks of resources and data. */
export const fileShape: Shape = {
  '//': text,
  terraform: { required_version: text, required_providers: { '*': { 'source!': text, version: text } }, backend: anything },
  variable: { '*': { type: text, default: anything, description: text, sensitive: flag, nullable: flag, validation: anything } },
  provider: { aws: anything },
  locals: anything,
  data: { '*': { '*': anything } },
  resource: { '*': { '*': anything } },
  output: { '*': { 'value!': anything, description: text, sensitive: flag } },
}
