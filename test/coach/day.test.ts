/**
 * A day of a user of examples/coach, under Lambda's own runtime client, over dynalite and the stand-in.
 */
import { readFileSync } from 'node:fs'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { yamlParse } from 'yaml-cfn'
import { type Cloud, type Reply, startCloud, type User } from '../../examples/coach/local/cloud.ts'
import { mistakesInVariables } from '../deploy/artefacts.ts'
import { mistakesInTemplate, tooMuchIn } from '../deploy/cloudformation.ts'
import { assertBuilt, top } from '../support/packed.ts'
import { emfValues } from '../support/strict-emf.ts'

const ada: User = { user: 'ada' }
const ben: User = { user: 'ben' }
const admin: User = { user: 'root', role: 'admin' }
const question = { message: 'What do I do on a rest day?' }
const goal = { goal: 'train for a race in May' }

let cloud: Cloud
beforeAll(() => {
  assertBuilt()
  vi.stubEnv('STAND_IN_SPEED', '1000')
})
beforeEach(async () => {
  cloud = await startCloud()
})
afterEach(() => cloud.close())

/** The members of an answer, and its status. */
function told({ status, body }: Reply): Record<string, unknown> {
  return { status, ...JSON.parse(body) }
}

describe('a day of the coach', () => {
  it('is answered by the model once, then by memory, and by the table in another instance', async () => {
    const morning = await cloud.start('handler')
    const first = told(await morning.ask('POST /api/ai/chat', ada, question))
    expect(first).toMatchObject({ status: 200, success: true, cached: false, cacheSource: 'bedrock', cacheAge: 0 })
    const again = told(await morning.ask('POST /api/ai/chat', ada, question))
    expect(again).toEqual({ ...first, cached: true, cacheSource: 'hot', cacheAge: expect.any(Number) })
    expect(told(await morning.ask('POST /api/ai/plan', ada, goal))).toMatchObject({ cacheSource: 'bedrock' })
    morning.instance.stop()
    const noon = await cloud.start('handler')
    expect(told(await noon.ask('POST /api/ai/plan', ada, goal))).toMatchObject({ cached: true, cacheSource: 'dynamodb' })
    expect(told(await noon.ask('POST /api/ai/chat', ada, question))).toMatchObject({ data: first['data'], cacheSource: 'dynamodb' })
    expect(cloud.calls()).toBe(2)
  })

  it('keeps an answer for an hour, and a plan for a day', async () => {
    const coach = await cloud.start('handler')
    const hours = async (): Promise<number[]> =>
      (await cloud.lifetimes()).map((seconds) => Math.round(seconds / 3_600)).toSorted((a, b) => a - b)
    await coach.ask('POST /api/ai/chat', ada, question)
    expect(await hours()).toEqual([1])
    await coach.ask('POST /api/ai/plan', ada, goal)
    expect(await hours()).toEqual([1, 24])
  })

  it('gives no user the answer of another, and goes past the cache when it is asked to', async () => {
    const coach = await cloud.start('handler')
    for (const who of [ada, ben]) expect(told(await coach.ask('POST /api/ai/chat', who, question))).toMatchObject({ cached: false })
    const past = told(await coach.ask('POST /api/ai/chat', ada, { ...question, bypassCache: true }))
    expect(past).toMatchObject({ cached: false, cacheSource: 'bedrock' })
    expect(cloud.calls()).toBe(3)
  })

  it('answers by the new profile once it has changed', async () => {
    const coach = await cloud.start('handler')
    const before = told(await coach.ask('POST /api/ai/chat', ada, question))
    expect(told(await coach.ask('PUT /api/profile', ada, { goal: 'to run a marathon', level: 'runner' }))).toMatchObject({
      data: { outdated: true },
    })
    const after = told(await coach.ask('POST /api/ai/chat', ada, question))
    expect(after).toMatchObject({ cached: false, data: { text: expect.stringContaining('marathon') } })
    expect(after['data']).not.toEqual(before['data'])
    // Back to what it was: the old answer is outdated all the same.
    await coach.ask('PUT /api/profile', ada, { goal: 'to stay well', level: 'beginner' })
    expect(told(await coach.ask('POST /api/ai/chat', ada, question))).toMatchObject({ cached: false, data: before['data'] })
  })

  it('streams a miss and a hit, and shares answers with those that are whole', async () => {
    const stream = await cloud.start('streamHandler')
    const events = async (): Promise<unknown[]> => {
      const { status, body } = await stream.ask('POST /api/ai/chat', ada, question)
      expect(status).toBe(200)
      return [...body.matchAll(/^data: (.*)$/gm)].map(([, text = '']): unknown => JSON.parse(text))
    }
    const miss = await events()
    expect(miss.at(-1)).toMatchObject({ success: true, cached: false, cacheSource: 'bedrock' })
    const hit = await events()
    expect(hit.slice(0, -1)).toEqual(miss.slice(0, -1))
    expect(hit.at(-1)).toMatchObject({ cached: true, cacheSource: 'hot' })
    const whole = await cloud.start('handler')
    const text = miss.map((each) => Reflect.get(Object(each), 'text') ?? '').join('')
    expect(told(await whole.ask('POST /api/ai/chat', ada, question))).toMatchObject({ cacheSource: 'dynamodb', data: { text } })
    expect(await stream.ask('POST /api/ai/chat', ada, {})).toMatchObject({ status: 400 })
    expect(cloud.calls()).toBe(1)
  })

  it('tells what it did, and outdates what it is told to', async () => {
    const coach = await cloud.start('handler')
    for (let each = 0; each < 3; each++) await coach.ask('POST /api/ai/chat', ada, question)
    await coach.ask('POST /api/ai/plan', ben, goal)
    expect(told(await coach.ask('GET /api/ai/cache/stats', ada))).toMatchObject({
      data: { hits: 2, misses: 2, hitRate: 0.5, byOperation: { chat: { hits: 2 }, plan: { misses: 1 } }, hot: { entries: 2 } },
    })
    expect(told(await coach.ask('POST /api/ai/cache/invalidate', ada, { all: true }))).toMatchObject({ status: 403 })
    await coach.ask('POST /api/ai/cache/invalidate', ada, {})
    expect(told(await coach.ask('POST /api/ai/chat', ada, question))).toMatchObject({ cached: false })
    expect(told(await coach.ask('POST /api/ai/plan', ben, goal))).toMatchObject({ cached: true })
    await coach.ask('POST /api/ai/cache/invalidate', admin, { operation: 'plan' })
    expect(told(await coach.ask('POST /api/ai/plan', ben, goal))).toMatchObject({ cached: false })
    expect(told(await coach.ask('POST /api/ai/chat', ada, question))).toMatchObject({ cached: true })
    const lines = coach.instance
      .printed()
      .split('\n')
      .filter((line) => line.includes('_aws'))
    const hits = lines
      .flatMap((line) => emfValues(line))
      .filter(({ name, dimensions }) => name === 'CacheHits' && !('operation' in dimensions))
    expect(hits.reduce((sum, { value }) => sum + value, 0)).toBe(4)
  })

  it('works as without a cache when that is switched off', async () => {
    const coach = await cloud.start('handler', { CACHE_ENABLED: 'false' })
    for (let each = 0; each < 2; each++) {
      expect(told(await coach.ask('POST /api/ai/chat', ada, question))).toMatchObject({ cached: false, cacheSource: 'bedrock' })
    }
    expect(cloud.calls()).toBe(2)
  })

  it.each([
    ['a caller that is not known', 'POST /api/ai/chat', undefined, question, 401],
    ['no text', 'POST /api/ai/chat', ada, { message: ' ' }, 400],
    ['no JSON', 'POST /api/ai/plan', ada, '{', 400],
    ['no object', 'POST /api/ai/plan', ada, [], 400],
    ['another path', 'GET /api/ai/chat', ada, undefined, 404],
    ['an unknown operation', 'POST /api/ai/cache/invalidate', admin, { operation: 'chats' }, 400],
  ])('refuses %s', async (_name, what, who, body, status) => {
    const coach = await cloud.start('handler')
    expect(told(await coach.ask(what, who, body))).toMatchObject({ status, success: false, error: expect.any(String) })
    expect(cloud.calls()).toBe(0)
  })

  it('says that it cannot answer when its tables are down, and shows nothing of why', async () => {
    const coach = await cloud.start('handler')
    await cloud.stopTables()
    const reply = await coach.ask('POST /api/ai/chat', ada, question)
    expect(reply.status).toBe(502)
    expect(reply.body).not.toMatch(/ECONN|127\.0\.0\.1/)
  })
})

function check(each: string): string[] {
  const template: unknown = yamlParse(each)
  const source = readFileSync(`${top}/examples/coach/function/handler.ts`, 'utf8')
  const handlers = [...each.matchAll(/Handler: handler\.(\w+)/g)].map(([, name = '']) => name)
  const missing = handlers.filter((name) => !new RegExp(`export (?:async function|const) ${name}\\b`).test(source))
  const block = /Variables:\n((?: {8}\S.*\n)+)/.exec(each)?.[1] ?? ''
  const variables = [...block.matchAll(/^ +(\w+):/gm)].map(([, name = '']) => name)
  // The coach's own, by which its code finds the users and the model.
  const own = [...sourceOf('coach.ts', 'profiles.ts').matchAll(/process\.env\['(\w+)'\]/g)].map(([, name = '']) => name)
  return [
    ...mistakesInTemplate(template),
    ...tooMuchIn(template),
    ...missing.map((name) => `no handler ${name}`),
    ...own.filter((name) => !variables.includes(name)).map((name) => `lacks ${name}`),
    ...mistakesInVariables(variables.filter((name) => !own.includes(name))),
  ]
}

function sourceOf(...names: readonly string[]): string {
  return names.map((name) => readFileSync(`${top}/examples/coach/function/${name}`, 'utf8')).join('')
}

describe('the template of the coach', () => {
  const text = readFileSync(`${top}/examples/coach/template.yaml`, 'utf8')

  it('is right', () => {
    expect(check(text)).toEqual([])
  })

  it.each([
    ['a misspelt property', 'RetentionInDays', 'RetentionDays', /unknown property RetentionDays/],
    ['a wrong handler', 'handler.streamHandler', 'handler.stream', 'no handler stream'],
    ['a misspelt variable', 'CACHE_TTL_CHAT:', 'CACHE_TLL_CHAT:', 'CACHE_TLL_CHAT'],
    ['no variable for the store', 'CACHE_TABLE: !Ref Answers', 'CACHE_TTL: 1h', 'names no store'],
    ['no variable for the users', 'PROFILES_TABLE:', 'USERS_TABLE:', 'lacks PROFILES_TABLE'],
    ['a wildcard', '[dynamodb:GetItem, dynamodb:PutItem]', "['dynamodb:*']", /may dynamodb:\*/],
    ['a table that is not there', '!GetAtt Profiles.Arn', '!GetAtt Users.Arn', /refers to Users/],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(text).toContain(right)
    expect(check(text.replace(right, wrong))).toEqual(expect.arrayContaining([expect.stringMatching(said)]))
  })
})
