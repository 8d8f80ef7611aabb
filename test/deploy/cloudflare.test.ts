/**
 * examples/deploy/cloudflare, and that its checker finds mistakes. That it runs in workerd is tested by `npm run test:runtimes`.
 */
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { deploy, inRepository, planted } from './artefacts.ts'
import { anything, flag, like, mistakesOfShape, type Shape, text } from './shapes.ts'

/** Source: https://developers.cloudflare.com/workers/wrangler/configuration/ */
const wrangler: Shape = {
  $schema: text,
  'name!': like(/^[a-z\d-]+$/, 'a name in small letters'),
  'main!': text,
  'compatibility_date!': like(/^\d{4}-\d\d-\d\d$/, 'a day'),
  compatibility_flags: [text],
  kv_namespaces: [{ 'binding!': text, id: text, preview_id: text }],
  vars: { '*': anything },
  observability: { 'enabled!': flag, head_sampling_rate: anything },
  routes: anything,
  workers_dev: flag,
}

function check(file: string, worker: string): string[] {
  const given = JSON.parse(file)
  const bound = [...given.kv_namespaces.map(({ binding }: { binding: string }) => binding), ...Object.keys(given.vars ?? {})]
  // The worker asks for this one only to see whether it is there.
  const used = new Set([...worker.matchAll(/\benv\.(\w+)/g)].map(([, name = '']) => name).filter((name) => name !== 'UPSTREAM_OPENAI'))
  return [
    ...mistakesOfShape('wrangler', given, wrangler),
    ...(existsSync(inRepository(`examples/deploy/cloudflare/${given.main}`)) ? [] : ['no such worker']),
    ...(given.compatibility_flags?.includes('nodejs_compat') === true ? [] : ['lacks nodejs_compat']),
    ...[...used].filter((name) => !bound.includes(name)).map((name) => `${name} is bound to nothing`),
    ...bound.filter((name) => !used.has(name)).map((name) => `${name} is read by nothing`),
  ]
}

describe('the Worker', () => {
  const [file, worker] = [deploy('cloudflare/wrangler.json'), deploy('cloudflare/worker.js')]

  it('is right', () => {
    expect(check(file, worker)).toEqual([])
    // Else each caller would count as the program itself, and could do everything.
    expect(worker).toMatch(/gateway\.fetch\(request, \{ remoteAddress \}\)/)
  })

  it.each([
    ['a misspelt property', 'compatibility_flags', 'compatability_flags', 'wrangler: has an unknown compatability_flags'],
    ['no modules of Node.js', '"nodejs_compat"', '"nodejs_als"', 'lacks nodejs_compat'],
    ['a wrong worker', 'worker.js', 'index.js', 'no such worker'],
    ['a misspelt variable', '"JWT_ISSUER"', '"JWT_ISUER"', 'JWT_ISSUER is bound to nothing'],
    ['a namespace that is not bound', '"ANSWERS"', '"ANSWER"', 'ANSWERS is bound to nothing'],
    ['no day', '"2026-05-01"', '"latest"', 'wrangler.compatibility_date: must be a day'],
  ])('is wrong with %s', (_name, right, wrong, said) => {
    expect(check(planted(file, right, wrong), worker)).toEqual(expect.arrayContaining([said]))
  })
})
