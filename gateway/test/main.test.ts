/**
 * The program as a process: what it prints, how it ends, and that it loses no request when it does.
 */
import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { chunksOf, completion } from '../../test/support/openai-answers.ts'
import { gate, startProvider } from '../../test/support/provider-server.ts'
import { startRedis } from '../../test/support/redis-server.ts'
import { until } from '../../test/support/until.ts'
import { gatewayProcess, inFrontOf, listens, start, temporaryFolder } from './support/gateway-process.ts'
import { isStreamRequest } from './support/stand-in.ts'
import { ask, question } from './support/provider.ts'

describe('the program', () => {
  it('serves from a file that outlives it', async () => {
    const folder = temporaryFolder()
    const first = await gatewayProcess((_request, reply) => reply.json(completion('Rayleigh.')), [], folder)
    await (await ask(first.url)).text()
    first.child.kill('SIGTERM')
    expect(await once(first.child, 'exit')).toEqual([0, null])
    const second = start(['--port', '0'], { env: inFrontOf(first.provider), folder })
    expect((await ask(await listens(second))).headers.get('x-llmemo-source')).toBe('sqlite')
    expect(first.provider.requests).toHaveLength(1)
  })

  it('starts while its store is away, and answers none before it knows whether there is a key', async () => {
    const { promise, resolve } = Promise.withResolvers<number>()
    const closed = createServer().listen(0, '127.0.0.1', () => resolve(Number(Reflect.get(Object(closed.address()), 'port'))))
    const port = await promise
    closed.close()
    const child = start(['--port', '0', '--host', '127.0.0.1'], { env: { REDIS_URL: `redis://127.0.0.1:${port}` } })
    const response = await ask(await listens(child))
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
    const keys = start(['keys', 'list'], { env: { REDIS_URL: `redis://127.0.0.1:${port}` } })
    expect(await once(keys, 'exit')).toEqual([2, null])
  })

  it('ends when it cannot listen, also with a store that has connections', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const taken = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void taken.close())
    await once(taken, 'listening')
    const port = String(Reflect.get(Object(taken.address()), 'port'))
    const child = start(['--port', port], { env: { REDIS_URL: `redis://${redis.host}:${redis.port}` } })
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    expect([code, said]).toEqual([2, expect.stringContaining('EADDRINUSE')])
  })

  it.each([
    ['in one process', []],
    ['in two', ['--workers', '2']],
  ])('says whether a client needs a key, %s', async (_name, words) => {
    const folder = temporaryFolder()
    const open = await printedBy(start(['--port', '0', ...words], { folder }))
    expect(open).toContain('No key was made yet')
    const made = start(['keys', 'create', '--role', 'admin'], { folder })
    expect(await once(made, 'exit')).toEqual([0, null])
    const guarded = await printedBy(start(['--port', '0', ...words], { folder }))
    expect(guarded).toContain('Each client needs a key or token')
    expect(guarded).not.toContain('No key')
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
    expect(said).toMatch(/2 mistakes\.\n- --port: .*\n- --workers: /)
  })

  it('ends when one of its processes cannot start', async () => {
    const child = start(['--port', '0', '--workers', '2'], { env: { CACHE_STORE: 'sqlite:/dev/null/answers.db' } })
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    expect([code, said]).toEqual([2, expect.stringContaining('a worker ended before it listened')])
  })

  it('puts another process in the place of one that dies, also when that cannot start at first', async () => {
    const folder = temporaryFolder()
    const store = join(folder, 'store')
    mkdirSync(store)
    const provider = await startProvider((_request, reply) => reply.json(completion('Rayleigh.')))
    onTestFinished(() => provider.close())
    const env = { ...inFrontOf(provider), CACHE_STORE: `sqlite:${join(store, 'answers.db')}` }
    const child = start(['--port', '0', '--workers', '2'], { env })
    const url = await listens(child)
    const workers = childrenOf(child)
    expect(workers).toHaveLength(2)
    renameSync(store, `${store}-away`)
    writeFileSync(store, 'no folder')
    for (const worker of workers) process.kill(worker, 'SIGKILL')
    let isBack = false
    let logged = ''
    for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
      logged += String(chunk)
      if (!isBack && logged.includes('"worker-not-started"')) {
        rmSync(store)
        renameSync(`${store}-away`, store)
        isBack = true
      }
      if (logged.split('"worker-started"').length > 2) break
    }
    expect(logged.split('"worker-died"')).toHaveLength(3)
    expect((await ask(url)).status).toBe(200)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('ends well when it is told to while its processes start', async () => {
    const child = start(['--port', '0', '--workers', '2'])
    await until(() => childrenOf(child).length > 0)
    child.kill('SIGINT')
    for (const worker of childrenOf(child)) process.kill(worker, 'SIGINT')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('does not share a port with another program', async () => {
    const { url } = await gatewayProcess((_request, reply) => reply.json(completion('Rayleigh.')), ['--workers', '2'])
    const child = start(['--port', new URL(url).port, '--workers', '2'])
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    expect([code, said]).toEqual([2, expect.stringContaining('EADDRINUSE')])
  })

  it('listens on this machine only, as long as there is no key', async () => {
    const child = start(['--port', '0', '--host', '0.0.0.0'])
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    expect([code, said]).toEqual([2, expect.stringContaining('server.host: must be a loopback address')])
  })

  it.each([
    ['in one process', 1, []],
    ['in two', 2, ['--workers', '2']],
  ])('answers every request that it has when it is told to end, once or several times, %s', async (_name, processes, words) => {
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
    // A terminal tells a process, and npm tells it again.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGINT'] as const) child.kill(signal)
    open.open()
    const given = await Promise.all(answers)
    expect(given.map(({ status }) => status)).toEqual(Array.from({ length: count }, () => 200))
    expect(given.every(({ text: said }, index) => said.includes(index % 2 === 0 ? '[DONE]' : 'Late.'))).toBe(true)
    expect(await ended).toEqual([0, null])
  })
})

/** All that a process prints that is told to end once it prints. */
async function printedBy(child: ChildProcessWithoutNullStreams): Promise<string> {
  let printed = ''
  for await (const chunk of child.stdout) {
    if (printed === '') child.kill('SIGTERM')
    printed += String(chunk)
  }
  return printed
}

/** The ids of the processes that a process has started. */
function childrenOf({ pid }: ChildProcess): number[] {
  const ids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return ids === '' ? [] : ids.split(' ').map(Number)
}
