import { type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { chunksOf, completion } from '../../../test/support/openai-answers.ts'
import { startByteGate } from '../../../test/support/process-wire.ts'
import { type ProviderServer, startProvider } from '../../../test/support/provider-server.ts'
import { startRedis } from '../../../test/support/redis-server.ts'
import { inFrontOf, listens, start, temporaryFolder } from '../support/gateway-process.ts'
import { ask, question } from '../support/provider.ts'
import { isStreamRequest } from '../support/stand-in.ts'

/** An answer that a store keeps in several parts, and that is not easily compressed. */
const said = Array.from({ length: 40_000 }, (_, index) => ((index * 48_271) % 2_147_483_647).toString(36)).join(' ')

let provider: ProviderServer
beforeEach(async () => {
  provider = await startProvider((request, reply) =>
    isStreamRequest(request) ? reply.events(chunksOf(said).flat()) : reply.json(completion(said)),
  )
  onTestFinished(() => provider.close())
})

const streamed = (content: string): string =>
  JSON.stringify({ ...JSON.parse(question(content)), stream: true, stream_options: { include_usage: true } })

async function ended(child: ChildProcess): Promise<unknown> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.signalCode ?? child.exitCode
}

/** Asks a process that may be killed meanwhile. */
async function askInVain(url: string, body: string): Promise<void> {
  await ask(url, {}, body)
    .then((response) => response.text(), String)
    .catch(String)
}

/** Asks the next process the same, whole and streamed, and expects whole answers. @returns where the first came from */
async function assertWhole(url: string, content: string): Promise<string | null> {
  const whole = await ask(url, {}, question(content))
  expect(whole.status).toBe(200)
  expect(await whole.json()).toEqual(completion(said))
  const stream = await ask(url, {}, streamed(content))
  const text = await stream.text()
  const parts = text.split('\n').filter((line) => line.startsWith('data: {'))
  expect(parts.map((line) => JSON.parse(line.slice(6)).choices[0]?.delta.content ?? '').join('')).toBe(said)
  expect(text).toContain('data: [DONE]')
  return whole.headers.get('x-llmemo-source')
}

describe('P01 the gateway is killed in the middle of a write', () => {
  it('to SQLite, before and after each statement: the next one serves whole answers', async () => {
    const folder = temporaryFolder()
    const flags = ['--import', fileURLToPath(new URL('../support/die-at-step.ts', import.meta.url))]
    const sources = new Set<string | null>()
    const next = await listens(start(['--port', '0'], { env: inFrontOf(provider), folder }))
    let step = 1
    // Each process opens the file as the one before left it.
    for (; ; step++) {
      const content = `Question ${step}`
      const child = start(['--port', '0'], { env: { ...inFrontOf(provider), DIES_AT: String(step) }, folder, flags })
      await askInVain(await listens(child), question(content))
      // A process that is still alive wrote everything in fewer steps; or it does so before it ends.
      child.kill('SIGTERM')
      const end = await ended(child)
      sources.add(await assertWhole(next, content))
      if (end === 0) break
      expect(end).toBe('SIGKILL')
    }
    expect(step).toBeGreaterThan(2)
    expect([...sources]).toEqual(['origin', 'sqlite'])
  })

  it('to Redis, after each part of the bytes: the next one serves whole answers', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const next = start(['--port', '0'], { env: { ...inFrontOf(provider), REDIS_URL: `redis://127.0.0.1:${redis.port}` } })
    const nextUrl = await listens(next)
    const write = async (content: string, share: number, total: number): Promise<number> => {
      const gate = await startByteGate(redis.port)
      onTestFinished(() => gate.close())
      const child = start(['--port', '0'], { env: { ...inFrontOf(provider), REDIS_URL: `redis://127.0.0.1:${gate.port}` } })
      const url = await listens(child)
      await askInVain(url, question(`First ${content}`))
      const begun = gate.passed
      if (share < 1) gate.limit(Math.floor(total * share), () => child.kill('SIGKILL'))
      await askInVain(url, question(content))
      if (share === 1) child.kill('SIGTERM')
      expect(await ended(child)).toBe(share === 1 ? 0 : 'SIGKILL')
      return gate.passed - begun
    }
    const total = await write('whole', 1, 0)
    expect(await assertWhole(nextUrl, 'whole')).toBe('redis')
    for (const share of [0, 0.01, 0.3, 0.6, 0.9, 0.999]) {
      const content = `share ${share}`
      await write(content, share, total)
      expect(await assertWhole(nextUrl, content)).toBe('origin')
    }
  })

  it('while an answer streams: the next one asks the provider, and serves all of it', async () => {
    const folder = temporaryFolder()
    const [first] = chunksOf(said)
    provider.respond((_request, reply) => reply.events(first, { end: 'never' }))
    const child = start(['--port', '0'], { env: inFrontOf(provider), folder })
    const response = await ask(await listens(child), {}, streamed('Question'))
    const reader = response.body?.getReader()
    await reader?.read()
    child.kill('SIGKILL')
    await ended(child)
    await expect(reader?.read().then(() => reader.read())).rejects.toThrow('terminated')
    provider.respond((request, reply) => (isStreamRequest(request) ? reply.events(chunksOf(said).flat()) : reply.json(completion(said))))
    expect(await assertWhole(await listens(start(['--port', '0'], { env: inFrontOf(provider), folder })), 'Question')).toBe('origin')
  })
})
