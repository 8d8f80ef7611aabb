/**
 * A TCP proxy in this process that does to a connection what a bad network does.
 * @module
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A proxy in front of one server. What is set holds for the bytes that come from then on. */
export interface FaultProxy {
  readonly port: number
  /** Connections that were made so far. */
  readonly connections: number
  /** Replies are held back until `recover`. Requests go through. */
  holdReplies(): void
  /** Nothing goes through any more, in either direction, without an error. The proxy still takes connections. */
  blackHole(): void
  /** Resets each connection when this many bytes of further replies went through it. Once. */
  cutAfter(bytes: number): void
  /** Lets a test change each piece of a reply. */
  alterReplies(alter: (bytes: Buffer) => Buffer): void
  /** Resets all connections. */
  reset(): void
  /** Refuses new connections, and resets those there are. */
  refuse(): void
  /** Everything goes through again; what was held back comes first. What a black hole took is lost, with its connection. */
  recover(): void
  close(): Promise<void>
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
  held: Buffer[]
}

/** A proxy in front of what listens on `port`. */
export async function startFaultProxy(port: number): Promise<FaultProxy> {
  const pairs = new Set<Pair>()
  let manner: 'through' | 'hold' | 'hole' | 'refuse' = 'through'
  let left = Infinity
  let alter: (bytes: Buffer) => Buffer = same
  let connections = 0

  const end = (pair: Pair): void => {
    pairs.delete(pair)
    pair.client.resetAndDestroy()
    pair.server.destroy()
  }
  const reply = (pair: Pair, bytes: Buffer): void => {
    if (manner === 'hole') return
    if (manner === 'hold') {
      pair.held.push(bytes)
    } else if (bytes.byteLength < left) {
      left -= bytes.byteLength
      pair.client.write(alter(bytes))
    } else {
      // A reset throws away what was not sent yet, so it waits for the last bytes.
      pair.client.write(bytes.subarray(0, left), () => end(pair))
      pair.server.pause()
      left = Infinity
    }
  }
  const listener = createServer((client) => {
    connections++
    if (manner === 'refuse') {
      client.resetAndDestroy()
      return
    }
    const server = connect(port, '127.0.0.1')
    const pair: Pair = { client, server, held: [] }
    pairs.add(pair)
    client.on('data', (bytes) => {
      if (manner !== 'hole') server.write(bytes)
    })
    server.on('data', (bytes) => reply(pair, bytes))
    for (const socket of [client, server]) socket.on('error', () => {}).on('close', () => end(pair))
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  if (typeof address !== 'object' || address === null) throw new TypeError('the proxy has no port')
  const reset = (): void => {
    for (const pair of pairs) end(pair)
  }
  return {
    port: address.port,
    get connections() {
      return connections
    },
    holdReplies() {
      manner = 'hold'
    },
    blackHole() {
      manner = 'hole'
    },
    cutAfter(bytes) {
      left = bytes
    },
    alterReplies(next) {
      alter = next
    },
    reset,
    refuse() {
      manner = 'refuse'
      reset()
    },
    recover() {
      const before = manner
      manner = 'through'
      alter = same
      if (before === 'hole') reset()
      for (const pair of pairs) for (const bytes of pair.held.splice(0)) reply(pair, bytes)
    },
    async close() {
      reset()
      const closed = once(listener, 'close')
      listener.close()
      await closed
    },
  }
}

function same(bytes: Buffer): Buffer {
  return bytes
}
