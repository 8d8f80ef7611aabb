import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { guarded } from '../support/guarded.ts'

const page = readFileSync(new URL('../../../docs/gateway-api.md', import.meta.url), 'utf8')

it('runs every curl line of docs/gateway-api.md, and gets what stands there', async () => {
  const { url, as } = await guarded()
  const { 'x-llmemo-api-key': key } = await as('acme', 'read', 'write')
  const pairs = Array.from(page.matchAll(/```sh\n([^`]+)```\n\n```json\n([^`]+)```/g), ([, line = '', answer = '']) => ({ line, answer }))
  expect(pairs.length).toBe(page.split('```sh').length - 1)
  expect(pairs.length).toBeGreaterThan(8)
  for (const { line, answer } of pairs) {
    const { stdout } = await promisify(execFile)('bash', ['-c', line], { env: { ...process.env, GATEWAY: url, KEY: key } })
    expect([line, steady(JSON.parse(stdout), answer)]).toEqual([line, JSON.parse(answer)])
  }
})

/** What was told, with `…` where the page has it, and the page's own figures for time, which passes while the lines run. */
function steady(told: unknown, answer: string): unknown {
  const shown: Record<string, unknown> = JSON.parse(answer)
  const members = Object.entries(Object(told)).map(([name, value]) => {
    const isTime = ['cacheAge', 'ttl'].includes(name) && typeof value === 'number'
    return [name, (shown[name] === '…' && typeof value === 'string') || isTime ? shown[name] : value]
  })
  return Object.fromEntries(members)
}
