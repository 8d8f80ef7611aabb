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
    const expected: unknown = JSON.parse(answer, (_name, value: unknown) => (value === '…' ? expect.any(String) : value))
    const told: unknown = JSON.parse(stdout)
    expect(told, line).toEqual(typeof expected === 'object' ? { ...expected, ...ages(told) } : expected)
  }
})

/** The members that tell of time, which passes while the lines run. */
function ages(told: unknown): object {
  const { cacheAge, ttl } = Object(told)
  return { ...(cacheAge !== undefined && { cacheAge: expect.any(Number) }), ...(ttl !== undefined && { ttl: expect.any(Number) }) }
}
