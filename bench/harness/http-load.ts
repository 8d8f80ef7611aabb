/**
 * A client of HTTP/1.1 that costs little beside the server that it measures: it sends the same bytes over kept connections.
 * @module
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** One kept connection. */
export interface KeptConnection {
  /** Sends a body, and waits for all of its answer. @returns milliseconds until the first byte and until the last */
  readonly ask: (body: string) => Promise<{ readonly first: number; readonly last: number }>
  readonly end: () => void
}

/**
 * Opens a connection to what answers at this URL.
 * @param headers what its requests say beside what an SDK does: `name: value`
 */
export async function keptConnection(url: string, headers: readonly string[] = []): Promise<KeptConnection> {
  const { hostname, port, host, pathname } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.setNoDelay(true)
  await once(socket, 'connect')
  return { ask: (body) => exchange(socket, Buffer.from(requestText({ host, pathname, headers }, body))), end: () => void socket.destroy() }
}

interface Target {
  readonly host: string
  readonly pathname: string
  readonly headers: readonly string[]
}

function requestText({ host, pathname, headers }: Target, body: string): string {
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `host: ${host}`,
    'content-type: application/json',
    'accept: application/json',
    'user-agent: OpenAI/JS 7.59.0',
    'x-stainless-lang: js',
    'x-stainless-retry-count: 0',
    'authorization: Bearer sk-bench',
    ...headers,
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

async function exchange(socket: Socket, request: Buffer): Promise<{ first: number; last: number }> {
  const start = performance.now()
  let first = 0
  let text = ''
  const { promise, resolve, reject } = Promise.withResolvers<{ first: number; last: number }>()
  const take = (bytes: Buffer): void => {
    if (first === 0) first = performance.now() - start
    text += bytes.toString('latin1')
    if (!isWhole(text)) return
    socket.off('data', take).off('close', broken)
    if (text.startsWith('HTTP/1.1 200 ')) resolve({ first, last: performance.now() - start })
    else reject(new Error(`the server answered ${text.slice(0, 300)}`))
  }
  const broken = (): void => reject(new Error('the server closed the connection'))
  socket.on('data', take).once('close', broken)
  socket.write(request)
  return promise
}

/** Whether an answer is there to its end: as long as it says, or with its last chunk. */
function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n')
  if (head === -1) return false
  const length = /content-length: (\d+)/i.exec(text.slice(0, head))?.[1]
  return length === undefined ? text.endsWith('0\r\n\r\n') : text.length >= head + 4 + Number(length)
}

/** Asks the same so many times over so many connections. @returns requests a second, and the 99th percentile in milliseconds */
export async function load(
  url: string,
  { body, requests, connections }: { readonly body: string; readonly requests: number; readonly connections: number },
): Promise<{ readonly perSecond: number; readonly p99: number }> {
  const kept = await Promise.all(Array.from({ length: connections }, () => keptConnection(url)))
  const took: number[] = []
  let left = requests
  const start = performance.now()
  await Promise.all(
    kept.map(async ({ ask }) => {
      while (left-- > 0) took.push((await ask(body)).last)
    }),
  )
  const perSecond = (requests / (performance.now() - start)) * 1_000
  for (const { end } of kept) end()
  took.sort((a, b) => a - b)
  return { perSecond, p99: took[Math.floor(took.length * 0.99)] ?? Number.NaN }
}
