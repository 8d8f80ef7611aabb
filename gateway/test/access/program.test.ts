import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { databasePath } from '../support/database-path.ts'
import { ask } from '../support/requests.ts'

const bin = new URL('../../dist/bin.mjs', import.meta.url).pathname

/** Starts the built program. @returns what it says first, and where it listens */
async function started(env: NodeJS.ProcessEnv, ...words: string[]): Promise<{ url: string; said: string; end: () => Promise<unknown> }> {
  const child = spawn(process.execPath, [bin, '--port', '0', ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const end = async (): Promise<unknown> => {
    if (child.exitCode !== null) return child.exitCode
    child.kill('SIGTERM')
    return (await once(child, 'exit'))[0]
  }
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  for await (const chunk of child.stdout) {
    said += String(chunk)
    const url = /listens at (\S+)\n/.exec(said)?.[1]
    if (url !== undefined) return { url, said, end }
  }
  return { url: '', said, end }
}

it('is open to this machine until the first key is made, by the program itself', async () => {
  const path = databasePath()
  const env = { PATH: process.env['PATH'], CACHE_STORE: `sqlite:${path}`, LOG_LEVEL: 'silent' }
  const run = (...words: string[]): Promise<{ stdout: string; stderr: string }> =>
    promisify(execFile)(process.execPath, [bin, ...words], { env, cwd: dirname(path) })

  const open = await started(env)
  expect((await ask(`${open.url}/cache/stats`)).status).toBe(200)
  expect(await open.end()).toBe(0)

  await expect(run('--host', '0.0.0.0', '--port', '0')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('127.0.0.1 only'),
  })
  const { stdout, stderr } = await run('keys', 'create', '--role', 'read', '--tenant', 'acme')
  expect(stderr).toContain('shown only now')
  const closed = await started(env, '--host', '0.0.0.0')
  const url = closed.url.replace('0.0.0.0', '127.0.0.1')
  expect((await ask(`${url}/cache/stats`)).status).toBe(401)
  expect((await ask(`${url}/cache/stats`, { headers: { 'x-llmemo-api-key': stdout.trim() } })).status).toBe(200)
  expect(await closed.end()).toBe(0)
})
