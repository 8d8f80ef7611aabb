/**
 * Gates between a process and its store, for the tests: they let so much through, and no more.
 * @module
 */
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'

/** A gate of bytes, in front of a TCP server. */
export interface ByteGate {
  readonly port: number
  /** Bytes of requests that went through it. */
  readonly passed: number
  /** Lets so many further bytes of requests through, and then calls `reached` and lets through no more. */
  limit(bytes: number, reached: () => void): void
  close(): Promise<void>
}

/** A gate of bytes in front of what listens on `port`. */
export async function startByteGate(port: number): Promise<ByteGate> {
  let passed = 0
  let left = Infinity
  let reached: (() => void) | undefined
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    client.on('data', (bytes) => {
      const through = bytes.subarray(0, left)
      left -= through.byteLength
      passed += through.byteLength
      upstream.write(through)
      if (left > 0) return
      reached?.()
      reached = undefined
    })
    upstream.pipe(client)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      socket.on('error', () => {}).on('close', () => other.destroy())
  })
  return {
    port: await listening(server),
    get passed() {
      return passed
    },
    limit(bytes, then) {
      left = bytes
      reached = then
      if (bytes > 0) return
      reached = undefined
      then()
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

/** What becomes of a request: it goes through, or it does not come to the server and is never answered. */
export type Passage = 'through' | 'never'

/** A gate of requests, in front of an HTTP server. */
export interface RequestGate {
  readonly port: number
  close(): Promise<void>
}

/** A gate of requests. `admit` decides about each; it may take its time. */
export async function startRequestGate(port: number, admit: (name: string) => Passage | Promise<Passage>): Promise<RequestGate> {
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = await bytesOf(incoming)
    const passage = await admit(nameOf(incoming))
    if (passage === 'never') return
    const { method, url: path, headers } = incoming
    const sent = request({ host: '127.0.0.1', port, method, path, headers }).end(body)
    const [answer]: IncomingMessage[] = await once(sent, 'response')
    if (answer === undefined) return
    const said = await bytesOf(answer)
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers).end(said)
  }
  // Whose client is gone has no answer to get.
  const server = createHttpServer((incoming, outgoing) => void pass(incoming, outgoing).catch(() => outgoing.destroy()))
  return {
    port: await listening(server),
    async close() {
      server.closeAllConnections()
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

/** DynamoDB's name of the operation, or S3's method. */
function nameOf({ headers, method = '' }: IncomingMessage): string {
  return /\.(\w+)$/.exec(String(headers['x-amz-target'] ?? ''))?.[1] ?? method
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) if (chunk instanceof Buffer) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // What a TCP server's address is, once it listens.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (server.address() as AddressInfo).port
}
