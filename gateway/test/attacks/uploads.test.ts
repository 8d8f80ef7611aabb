/**
 * Clients that go away in the middle of what they send.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect as connectHttp2, constants } from 'node:http2'
import { connect } from 'node:net'
import { createGateway } from 'llmemo-gateway'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listening } from '../support/listening.ts'

/** A provider that reads uploads, and tells of each that began and how it ended. */
async function uploads(): Promise<{ readonly url: string; readonly next: () => Promise<IncomingMessage> }> {
  const begun: IncomingMessage[] = []
  let told = Promise.withResolvers<void>()
  const server = createServer((incoming, outgoing) => {
    // One that breaks off is what is looked at.
    incoming.on('error', () => undefined).resume()
    incoming.once('end', () => outgoing.end('{}'))
    begun.push(incoming)
    told.resolve()
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  onTestFinished(() => server.closeAllConnections())
  await once(server, 'listening')
  const next = async (): Promise<IncomingMessage> => {
    for (let first = begun.shift(); ; first = begun.shift()) {
      if (first !== undefined) return first
      told = Promise.withResolvers()
      await told.promise
    }
  }
  return { url: `http://127.0.0.1:${String(Reflect.get(Object(server.address()), 'port'))}/v1`, next }
}

const head = 'POST /openai/v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\n'

/** Begins an upload over HTTP/1.1. @returns what breaks it off */
function overHttp1(text: string) {
  return async (url: string): Promise<() => void> => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(text)
    return () => void socket.destroy()
  }
}

/** Begins an upload over HTTP/2. @returns what breaks it off */
async function overHttp2(url: string): Promise<() => void> {
  const session = connectHttp2(url).on('error', () => undefined)
  onTestFinished(() => session.destroy())
  await once(session, 'connect')
  const stream = session.request({ ':method': 'POST', ':path': '/openai/v1/files', 'content-type': 'application/octet-stream' })
  stream.on('error', () => undefined).write('half')
  return () => stream.close(constants.NGHTTP2_CANCEL)
}

it.each([
  ['of a known length', overHttp1(`${head}Content-Length: 1000\r\n\r\nhalf`)],
  ['in chunks', overHttp1(`${head}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`)],
  ['over HTTP/2', overHttp2],
])('an upload %s ends at the provider when its client goes away', async (_name, begin) => {
  const { url: provider, next } = await uploads()
  const events: string[] = []
  const log = (_level: string, event: string): void => void events.push(event)
  const { url } = await listening({ upstreams: { openai: provider }, privateHosts: ['127.0.0.1'], log })
  const leave = await begin(url)
  const incoming = await next()
  leave()
  await new Promise((resolve) => incoming.once('close', resolve))
  expect(incoming.complete).toBe(false)
  const whole = await fetch(`${url}/openai/v1/files`, { method: 'POST', body: new Uint8Array(4) })
  expect(whole.status).toBe(200)
  expect(events).toEqual([])
})

it.each(['/openai/v1/chat/completions', '/openai/v1/files'])('a client that goes away is no failure in the log: %s', async (path) => {
  const events: string[] = []
  const gateway = createGateway({ log: (_level, event) => void events.push(event) })
  onTestFinished(() => gateway.close())
  const gone = new AbortController()
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      gone.abort()
      controller.error(new Error('aborted'))
    },
  })
  const sent = { method: 'POST', body, duplex: 'half', signal: gone.signal, headers: { 'content-type': 'application/json' } } as const
  await (await gateway.fetch(new Request(`http://gateway${path}`, sent))).text()
  expect(events).toEqual([])
})

describe('a slow client over HTTP/2', () => {
  it.each([
    ['that asks for nothing', undefined],
    ['whose JSON does not end', { ':path': '/openai/v1/chat/completions', 'content-type': 'application/json' }],
    ['whose upload does not end', { ':path': '/openai/v1/files', 'content-type': 'application/octet-stream' }],
  ])('%s is cut off', async (_name, headers) => {
    const { url: provider } = await uploads()
    const { url } = await listening({
      upstreams: { openai: provider },
      privateHosts: ['127.0.0.1'],
      limits: { head: 0.2, request: 0.5 },
    })
    const session = connectHttp2(url).on('error', () => undefined)
    onTestFinished(() => session.destroy())
    const stream = headers && session.request({ ':method': 'POST', ...headers }).on('error', () => undefined)
    stream?.write('{')
    await new Promise((resolve) => (stream ?? session).once('close', resolve))
    expect((await fetch(`${url}/health`)).status).toBe(200)
  })
})
