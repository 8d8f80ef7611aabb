/**
 * The program as a process: what it prints, how it ends, and that it loses no request when it does.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { chunksOf, completion } from '../../test/support/openai-answers.ts'
import { gate, type ProviderHandler, startProvider } from '../../test/support/provider-server.ts'
import { isStreamRequest } from './support/stand-in.ts'
import { ask, question } from './support/provider.ts'

const bin = new URL('../dist/bin.mjs', import.meta.url).pathname
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'llmemo-gateway-'))
  const made = folder
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
})

function start(words: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcessWithoutNullStreams {
  if (!existsSync(bin)) throw new Error('Build first: npm run build')
  const child = spawn(process.execPath, [bin, ...words], { cwd: folder, env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: 'pipe' })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** What the process prints up to its first blank line, and the address in it. */
async function listens(child: ChildProcessWithoutNullStreams): Promise<string> {
  let printed = ''
  for await (const chunk of child.stdout) {
    printed += String(chunk)
    const [, url] = /listens at (http:\S+)\n/.exec(printed) ?? []
    if (url !== undefined) return url
  }
  throw new Error(`it does not listen: ${printed}${await text(child.stderr)}`)
}

async function gatewayProcess(
  handler: ProviderHandler,
  words: readonly string[] = [],
): Promise<{ url: string; child: ChildProcessWithoutNullStreams; provider: Awaited<ReturnType<typeof startProvider>> }> {
  const provider = await startProvider(handler)
  onTestFinished(() => provider.close())
  const child = start(['--port', '0', ...words], { LLMEMO_UPSTREAM_OPENAI: provider.url, LLMEMO_PRIVATE_HOSTS: '127.0.0.1' })
  return { url: await listens(child), child, provider }
}

describe('the program', () => {
  it('serves from a file that outlives it', async () => {
    const first = await gatewayProcess((_request, reply) => reply.json(completion('Rayleigh.')))
    await (await ask(first.url)).text()
    first.child.kill('SIGTERM')
    expect(await once(first.child, 'exit')).toEqual([0, null])
    const second = start(['--port', '0'], { LLMEMO_UPSTREAM_OPENAI: first.provider.url, LLMEMO_PRIVATE_HOSTS: '127.0.0.1' })
    expect((await ask(await listens(second))).headers.get('x-llmemo-source')).toBe('sqlite')
    expect(first.provider.requests).toHaveLength(1)
  })

  it('goes on when its output is read no longer', async () => {
    const { url, child } = await gatewayProcess((_request, reply) => reply.json(completion('Rayleigh.')))
    child.stdout.destroy()
    child.stderr.destroy()
    expect((await ask(url)).status).toBe(200)
    // It logs that it ends.
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('says all that is wrong, and ends with 2', async () => {
    const child = start(['--port', 'x', '--host', '0.0.0.0', '--workers', '0'])
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    expect(code).toBe(2)
    expect(said).toMatch(/2 mistakes\.\n- server\.port: .*\n- server\.workers: /)
  })

  it('listens on this machine only, as long as there is no key', async () => {
    const child = start(['--port', '0', '--host', '0.0.0.0'])
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    expect([code, said]).toEqual([2, expect.stringContaining('server.host: must be a loopback address')])
  })

  it.each([
    ['in one process', 1, []],
    ['in two', 2, ['--workers', '2']],
  ])('answers every request that it has when it is told to end, %s', async (_name, processes, words) => {
    const open = gate()
    const { url, child, provider } = await gatewayProcess(async (request, reply) => {
      if (!isStreamRequest(request)) {
        await open
        return reply.json(completion('Late.'))
      }
      const [begin, ...rest] = chunksOf('Late.')
      return reply.events([...begin, open, ...rest.flat()])
    }, words)
    const count = 32
    const answers = Array.from({ length: count }, async (_, index) => {
      const body = { ...JSON.parse(question(`Question ${index}`)), stream: index % 2 === 0 }
      const response = await ask(url, {}, JSON.stringify(body))
      return { status: response.status, text: await response.text() }
    })
    await provider.untilRequests(count)
    child.kill('SIGTERM')
    const ended = once(child, 'exit')
    // Each process logs that it begins to drain.
    let logged = ''
    for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
      logged += String(chunk)
      if (logged.split('"draining"').length > processes) break
    }
    open.open()
    const given = await Promise.all(answers)
    expect(given.map(({ status }) => status)).toEqual(Array.from({ length: count }, () => 200))
    expect(given.every(({ text: said }, index) => said.includes(index % 2 === 0 ? '[DONE]' : 'Late.'))).toBe(true)
    expect(await ended).toEqual([0, null])
  })
})
