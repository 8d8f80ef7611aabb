import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect } from 'node:http2'
import { text } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
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
