import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { listening } from '../support/listening.ts'
import { openSocket } from '../support/web-socket.ts'

const handshake = (path: string, more = '', key = 'dGhlIHNhbXBsZSBub25jZQ=='): string =>
  `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n${more}\r\n`

async function isUp(url: string): Promise<void> {
  expect((await fetch(`${url}/health`)).status).toBe(200)
}

describe('a WebSocket', () => {
  it('that floods with messages is cut off', async () => {
    const { url } = await listening()
    const { socket, closed } = await openSocket(url)
    for (let index = 0; index < 2_000; index++) socket.send('flood')
    expect(await closed).toBe(1006)
    await isUp(url)
  })

  it('that floods with pings is cut off', async () => {
    const { url } = await listening()
    const { socket, closed } = await openSocket(url)
    for (let index = 0; index < 2_000; index++) socket.ping()
    expect(await closed).toBe(1006)
    await isUp(url)
  })

  it('that sends a large message is closed, without its being read', async () => {
    const { url } = await listening()
    const { socket, closed } = await openSocket(url)
    socket.on('error', () => undefined)
    socket.send('x'.repeat(64 * 1024 * 1024))
    expect([1006, 1009]).toContain(await closed)
    await isUp(url)
  })

  it('that is reset in the middle of its upgrade, a thousand times, leaves nothing', async () => {
    const { url } = await listening()
    const { hostname, port } = new URL(url)
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const socket = connect(Number(port), hostname)
          socket.on('error', () => undefined)
          await once(socket, 'connect')
          // Some go away before the gateway has answered, others in the middle of the head.
          socket.write(handshake('/events').slice(0, index % 5 === 0 ? 40 : undefined), () => socket.resetAndDestroy())
          await once(socket, 'close')
        }),
      )
    }
    await isUp(url)
    // None of them counts as an open stream any more: there is room for as many as one key may have.
    for (let index = 0; index < 32; index++) expect(await (await openSocket(url)).next()).toMatchObject({ event: 'savings' })
  })

  it.each([
    ['a key that is none', handshake('/events', '', 'short'), 400],
    ['another version', handshake('/events').replace('version: 13', 'version: 7'), 400],
    ['a host that is none', handshake('/events').replace('127.0.0.1', '%%%'), 400],
    ['a path that is no stream of events', handshake('/health'), 200],
    ['a path above', handshake('/events/../health'), 200],
    ['a host of another name', handshake('/events').replace('127.0.0.1', 'evil.example'), 403],
    ['a forwarded client', handshake('/events', 'x-forwarded-for: 10.0.0.1\r\n'), 403],
  ])('with %s is answered over HTTP', async (_name, head, status) => {
    const { url } = await listening()
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.write(head.replace('connection: Upgrade', status === 200 ? 'connection: Upgrade, close' : 'connection: Upgrade'))
    expect((await text(socket)).split(' ')[1]).toBe(String(status))
    await isUp(url)
  })

  it('that does not read holds up no other', async () => {
    const { url } = await listening()
    const slow = await openSocket(url)
    slow.socket.pause()
    const quick = await openSocket(url)
    await quick.next()
    for (let index = 0; index < 50; index++) {
      await fetch(`${url}/cache/query`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: String(index), operation: 'chat' }),
      })
    }
    for (let index = 0; index < 50; index++) expect(await quick.next()).toMatchObject({ event: 'miss' })
  })
})
