import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { connect } from 'node:http2'
import { text } from 'node:stream/consumers'
import { type Clock, systemClock } from 'llmemo'
import { createGateway, listen } from 'llmemo-gateway'
import { ManualClock } from 'llmemo/testing'
import { expect, it, onTestFinished } from 'vitest'
import { until } from '../../../test/support/until.ts'
import { readSettings } from '../../src/config/settings.ts'
import { idleSession } from '../../src/server/listen.ts'
import { listening } from '../support/listening.ts'

it('answers over HTTP/1.1', async () => {
  const { url } = await listening()
  const response = await fetch(`${url}/health`)
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({ status: 'ok', service: 'llmemo-gateway' })
})

it('answers over HTTP/2 without TLS, at the same port', async () => {
  const { url } = await listening()
  const session = connect(url)
  try {
    expect(JSON.parse(await text(session.request({ ':path': '/health' })))).toMatchObject({ status: 'ok' })
  } finally {
    session.close()
  }
})

it('closes a session of HTTP/2 that asks for nothing any more, and none with an open stream', async () => {
  const manual = new ManualClock()
  const clock: Clock = {
    ...systemClock,
    after: (...given) => (given[0] === idleSession ? manual : systemClock).after(...given),
  }
  const gateway = createGateway()
  const server = await listen({ ...gateway, settings: readSettings({ server: { port: 0 } }), clock })
  onTestFinished(async () => {
    await gateway.close()
    await server.drain()
  })
  const [idle, busy] = [connect(`http://${server.host}:${server.port}`), connect(`http://${server.host}:${server.port}`)]
  for (const session of [idle, busy]) await text(session.request({ ':path': '/health' }))
  const events = busy.request({ ':path': '/events' })
  await once(events, 'data')
  await until(() => manual.timers === 1)
  const ended = once(idle, 'close')
  manual.advance(idleSession)
  await ended
  expect([busy.closed, events.closed]).toEqual([false, false])
  busy.destroy()
})

it('sends each piece of an answer at once, and waits for no confirmation of the one before', async () => {
  const sockets: object[] = []
  const see = (message: unknown): void => void sockets.push(Object(Reflect.get(Object(message), 'socket')))
  subscribe('net.server.socket', see)
  onTestFinished(() => void unsubscribe('net.server.socket', see))
  const { url } = await listening()
  await (await fetch(`${url}/health`)).text()
  // Node.js has no other way to ask a socket for it.
  const option = Object.getOwnPropertySymbols(sockets[0] ?? {}).find(({ description }) => description === 'kSetNoDelay')
  expect(option && Reflect.get(sockets[0] ?? {}, option)).toBe(true)
})
