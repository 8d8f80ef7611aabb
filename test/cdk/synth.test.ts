/**
 * What the CDK makes of examples/deploy/cdk and osls of examples/deploy/serverless: templates of CloudFormation, checked as those that are
 * written by hand.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isJsonObject, type JsonObject } from '../../src/json/object.ts'
import { inRepository, isHandler, mistakesInVariables, planted } from '../deploy/artefacts.ts'
import { mistakesInTemplate, statementsIn, tooMuchIn } from '../deploy/cloudformation.ts'
import { storeActions } from '../deploy/rights.ts'
import { tools } from './install.ts'

const run = promisify(execFile)

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-synth-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function resourcesOf(template: JsonObject, type: string): JsonObject[] {
  return Object.values(Object(template['Resources']))
    .filter(isJsonObject)
    .filter(({ Type: of }) => of === type)
}

/** Everything wrong with a template that a tool wrote. */
function check(template: JsonObject): string[] {
  const functions = resourcesOf(template, 'AWS::Lambda::Function').map(({ Properties: properties }) => Object(properties))
  const policies = [...resourcesOf(template, 'AWS::IAM::Policy'), ...resourcesOf(template, 'AWS::IAM::Role')]
  const allowed = new Set(policies.flatMap(statementsIn).flatMap(({ actions }) => actions))
  const permissions = resourcesOf(template, 'AWS::Lambda::Permission').map(({ Properties: properties }) => Object(properties))
  const granted = new Set(permissions.map(({ Action: action }) => String(action)))
  return [
    ...mistakesInTemplate(template),
    ...functions.filter(({ Handler: handler }) => !isHandler(String(handler))).map(() => 'no such handler'),
    ...functions.flatMap(({ Environment: environment }) => mistakesInVariables(Object.keys(environment.Variables))),
    ...storeActions.filter((action) => !allowed.has(action)).map((action) => `may not ${action}`),
    // Since October 2025 a URL for all needs both: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    ...['lambda:InvokeFunctionUrl', 'lambda:InvokeFunction']
      .filter((action) => !granted.has(action))
      .map((action) => `does not grant ${action}`),
  ]
}

/** A folder with the program of the stack, and the CDK beside it. @param mistake what is written in place of what in it */
function program(mistake?: readonly [right: string, wrong: string]): string {
  const folder = newFolder()
  for (const file of ['app.ts', 'package.json', 'gateway-stack.ts', 'tsconfig.json']) {
    cpSync(inRepository(`examples/deploy/cdk/${file}`), join(folder, file))
  }
  symlinkSync(join(tools, 'node_modules'), join(folder, 'node_modules'))
  const path = join(folder, 'gateway-stack.ts')
  const text = readFileSync(path, 'utf8')
  const stack = mistake === undefined ? text : planted(text, ...mistake)
  writeFileSync(path, stack.replaceAll("'../sam/function'", JSON.stringify(inRepository('examples/deploy/sam/function'))))
  return folder
}

/** The template of the stack. */
async function synthesised(folder: string): Promise<JsonObject> {
  const outdir = newFolder()
  await run(process.execPath, ['app.ts'], { cwd: folder, env: { PATH: process.env['PATH'] ?? '', CDK_OUTDIR: outdir } })
  return JSON.parse(readFileSync(join(outdir, 'llmemo-gateway.template.json'), 'utf8'))
}

describe('the stack of the CDK', () => {
  it('has right types, and becomes a template that is right', async () => {
    const folder = program()
    const types = inRepository('node_modules/@types')
    await run(inRepository('node_modules/.bin/tsc'), ['-p', folder, '--typeRoots', types])
    const template = await synthesised(folder)
    expect(check(template)).toEqual([])
    expect(tooMuchIn(template)).toEqual([])
    expect(resourcesOf(template, 'AWS::CloudWatch::Alarm')).toHaveLength(4)
    expect(resourcesOf(template, 'AWS::CloudWatch::Dashboard')).toHaveLength(1)
    expect(resourcesOf(template, 'AWS::CodeDeploy::DeploymentGroup')).toMatchObject([
      { Properties: { DeploymentConfigName: 'CodeDeployDefault.LambdaCanary10Percent5Minutes', AlarmConfiguration: { Enabled: true } } },
    ])
    expect(resourcesOf(template, 'AWS::Lambda::Alias')).toMatchObject([{ UpdatePolicy: { CodeDeployLambdaAliasUpdate: {} } }])
    expect(resourcesOf(template, 'AWS::DynamoDB::Table')).toMatchObject([
      {
        DeletionPolicy: 'Retain',
        Properties: {
          TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          SSESpecification: { SSEType: 'KMS' },
        },
      },
    ])
  })

  it('is no program with a misspelt property', async () => {
    const folder = program(['memorySize:', 'memorySise:'])
    const checked = run(inRepository('node_modules/.bin/tsc'), ['-p', folder, '--typeRoots', inRepository('node_modules/@types')])
    await expect(checked).rejects.toMatchObject({ stdout: expect.stringMatching(/memorySise/) })
  })

  it('is wrong with a wrong handler, a misspelt variable, a missing right and the right to read everything', async () => {
    const mistakes = [
      ['lambda.streamHandler', 'lambda.handler', 'no such handler'],
      ['CACHE_TTL', 'CACHE_TLL', 'CACHE_TLL'],
      ["'dynamodb:UpdateItem'", "'dynamodb:Scan'", 'may not dynamodb:UpdateItem'],
    ] as const
    for (const [right, wrong, said] of mistakes) {
      const template = await synthesised(program([right, wrong]))
      expect(check(template)).toEqual([said])
      expect(tooMuchIn(template).join()).toMatch(wrong.includes('Scan') ? /may dynamodb:Scan/ : /^$/)
    }
  })
})

/** The template of the service. @param mistake what is written in place of what in it */
async function packaged(mistake?: readonly [right: string, wrong: string]): Promise<JsonObject> {
  const folder = newFolder()
  cpSync(inRepository('examples/deploy/serverless'), folder, { recursive: true })
  // What osls packs must be there: the handler, and nothing else of what is installed.
  const built = join(folder, 'node_modules/llmemo-gateway/dist')
  mkdirSync(built, { recursive: true })
  cpSync(inRepository('gateway/dist/lambda.mjs'), join(built, 'lambda.mjs'))
  const file = join(folder, 'serverless.yml')
  if (mistake !== undefined) writeFileSync(file, planted(readFileSync(file, 'utf8'), ...mistake))
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }
  await run(process.execPath, [join(tools, 'node_modules/osls/bin/serverless.js'), 'package'], { cwd: folder, env })
  return JSON.parse(readFileSync(join(folder, '.serverless/cloudformation-template-update-stack.json'), 'utf8'))
}

describe('the service of osls', () => {
  it('is taken by osls, and becomes a template that is right', async () => {
    const template = await packaged()
    expect(check(template)).toEqual([])
    // osls itself lets a function write to all groups of logs whose names begin as the service's do.
    expect(tooMuchIn(template).filter((each) => !each.includes('log-group:/aws/lambda/llmemo-gateway-live*'))).toEqual([])
  })

  it('is refused by osls with a misspelt property', async () => {
    await expect(packaged(['memorySize', 'memorySise'])).rejects.toMatchObject({
      stdout: expect.stringContaining("unrecognized property 'memorySise'"),
    })
  })
})
