import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import type { ReadEvent } from './event-reader.ts'

/** Reads the messages of a WebSocket one by one. */
export interface SocketReader {
  readonly socket: WebSocket
  /** The next message. */
  readonly next: () => Promise<ReadEvent>
  /** The code that it was closed with. */
  readonly closed: Promise<number>
}

/** Opens a WebSocket at a gateway's events, until the test ends. */
export async function openSocket(
  url: string,
  { protocols = [], ...options }: ClientOptions & { readonly protocols?: string[]; readonly query?: string } = {},
): Promise<SocketReader> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/events${options.query ?? ''}`, protocols, options)
  onTestFinished(() => socket.terminate())
  const kept: ReadEvent[] = []
  let wake: (() => void) | undefined
  socket.on('message', (data: Buffer) => {
    kept.push(JSON.parse(data.toString()))
    wake?.()
  })
  const closed = new Promise<number>((resolve) => {
    socket.once('close', resolve)
  })
  await once(socket, 'open')
  return {
    socket,
    closed,
    async next() {
      while (kept.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const event = kept.shift()
      if (event === undefined) throw new TypeError('there is no message')
      return event
    },
  }
}

/** The status that the gateway refuses a WebSocket with. */
export async function refusedSocket(url: string, headers: Record<string, string> = {}): Promise<number> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/events`, { headers })
  socket.on('error', () => undefined)
  const [, response] = await once(socket, 'unexpected-response')
  socket.terminate()
  return response.statusCode
}
