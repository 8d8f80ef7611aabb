/**
 * The gateway as a function with a URL, over DynamoDB.
 * @module
 */
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import {
  type Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy'
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb'
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Alias, Architecture, Code, Function, FunctionUrlAuthType, InvokeMode, Runtime } from 'aws-cdk-lib/aws-lambda'
import { FilterPattern, LogGroup, MetricFilter, RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'

/** What the stack is made of. */
export interface GatewayStackProps extends StackProps {
  /** The folder of the function: a package.json with llmemo and llmemo-gateway, and its node_modules. @default '../sam/function' */
  readonly code?: string
}

/** A table, a function with a URL, alarms and a dashboard. */
export class GatewayStack extends Stack {
  constructor(scope: Construct, id: string, { code = '../sam/function', ...props }: GatewayStackProps = {}) {
    super(scope, id, props)
    const key = new Key(this, 'Key', {
      description: 'Encrypts the answers and the log.',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    })
    key.grantEncryptDecrypt(new ServicePrincipal(`logs.${this.region}.amazonaws.com`))
    const table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expires',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: key,
      removalPolicy: RemovalPolicy.RETAIN,
    })
    const log = new LogGroup(this, 'Log', {
      logGroupName: `/llmemo/${this.stackName}`,
      retention: RetentionDays.ONE_MONTH,
      encryptionKey: key,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    // Not `grantReadWriteData`, which allows to scan the table and to read its stream.
    table.grant(
      role,
      'dynamodb:GetItem',
      'dynamodb:BatchGetItem',
      'dynamodb:PutItem',
      'dynamodb:BatchWriteItem',
      'dynamodb:UpdateItem',
      'dynamodb:DeleteItem',
    )
    role.addToPolicy(
      new PolicyStatement({ effect: Effect.ALLOW, actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [key.keyArn] }),
    )
    log.grantWrite(role)
    const gateway = new Function(this, 'Gateway', {
      code: Code.fromAsset(code),
      handler: 'node_modules/llmemo-gateway/dist/lambda.streamHandler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      timeout: Duration.minutes(2),
      role,
      logGroup: log,
      environment: { DYNAMODB_TABLE: table.tableName, CACHE_TTL: '1h', LLMEMO_CLOUDWATCH: this.stackName },
    })
    const live = new Alias(this, 'Live', { aliasName: 'live', version: gateway.currentVersion })
    // The gateway checks its own keys.
    const url = live.addFunctionUrl({ authType: FunctionUrlAuthType.NONE, invokeMode: InvokeMode.RESPONSE_STREAM })
    new CfnOutput(this, 'Url', { value: url.url, description: 'Where clients ask, with openai/v1 or anthropic after it.' })
    const errors = this.#watched(gateway, table, log)
    // A tenth of the traffic first, and back when the alarm rings.
    const deploymentConfig = LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES
    new LambdaDeploymentGroup(this, 'Canary', { alias: live, deploymentConfig, alarms: [errors] })
  }

  /** Alarms and the dashboard. @returns the alarm by which a deployment goes back */
  #watched(gateway: Function, table: Table, log: LogGroup): Alarm {
    const hour = Duration.hours(1)
    const ours = (metricName: string): Metric =>
      new Metric({ namespace: 'llmemo', metricName, dimensionsMap: { service: this.stackName }, statistic: 'Sum', period: hour })
    const ofTable = (metricName: string): Metric =>
      new Metric({
        namespace: 'AWS/DynamoDB',
        metricName,
        dimensionsMap: { TableName: table.tableName },
        statistic: 'Sum',
        period: Duration.minutes(5),
      })
    const leftOut = new MetricFilter(this, 'StoreLeftOut', {
      logGroup: log,
      filterPattern: FilterPattern.literal('"calls go on without it"'),
      metricNamespace: 'llmemo',
      metricName: 'StoreLeftOut',
      defaultValue: 0,
    })
    const rises = (id: string, metric: Metric | MathExpression, evaluationPeriods: number, alarmDescription: string): Alarm =>
      metric.createAlarm(this, id, {
        threshold: 1,
        evaluationPeriods,
        alarmDescription,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      })
    const refused = new MathExpression({
      expression: 'FILL(reads, 0) + FILL(writes, 0)',
      usingMetrics: { reads: ofTable('ReadThrottleEvents'), writes: ofTable('WriteThrottleEvents') },
      period: Duration.minutes(5),
    })
    const store = leftOut.metric({ statistic: 'Sum', period: Duration.minutes(5) })
    const errors = rises('ErrorAlarm', gateway.metricErrors({ period: Duration.minutes(1) }), 3, 'The function failed. Its log says why.')
    rises('ThrottleAlarm', refused, 2, 'The table refuses requests. Entries are lost to callers, answers are not.')
    rises('StoreAlarm', store, 2, 'An instance goes on without its table. The line in the log says why.')
    const rate = new MathExpression({
      expression: '100 * hits / (hits + misses)',
      usingMetrics: { hits: ours('CacheHits'), misses: ours('CacheMisses') },
      label: 'Hit rate',
      period: hour,
    })
    rate.createAlarm(this, 'HitRateAlarm', {
      threshold: 40,
      evaluationPeriods: 6,
      alarmDescription: 'Less than 40 of 100 calls were answered from the cache for six hours. Look for what changes in the prompts.',
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    })
    const plot = (title: string, ...left: IMetric[]): GraphWidget => new GraphWidget({ title, left, width: 12 })
    new Dashboard(this, 'Dashboard', {
      dashboardName: `${this.stackName}-answers`,
      widgets: [
        [plot('Hit rate, in percent', rate), plot('Dollars that hits saved', ours('CostSaved'))],
        [
          plot('Milliseconds of an invocation', gateway.metricDuration({ statistic: 'p50' }), gateway.metricDuration({ statistic: 'p95' })),
          plot(
            'Trouble',
            gateway.metricErrors(),
            gateway.metricThrottles(),
            ofTable('ReadThrottleEvents'),
            ofTable('WriteThrottleEvents'),
            store,
          ),
        ],
      ],
    })
    return errors
  }
}
