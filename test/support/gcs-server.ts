/**
 * As much of Google Cloud Storage as a cache needs, over HTTP, by its JSON API: https://cloud.google.com/storage/docs/json_api/v1
 * @module
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Bucket, CRC32C, Storage } from '@google-cloud/storage'

/** A Cloud Storage for tests, with one bucket. */
export interface GcsServer {
  /** By name. A test may change them: each content is a generation of its own. */
  readonly objects: Map<string, Buffer>
  /** What came along with each object. */
  readonly metadata: Map<string, unknown>
  /** Every request: `POST /upload/storage/v1/b/answers/o`. */
  readonly requests: string[]
  readonly bucket: Bucket
  refuses: boolean
  close(): Promise<void>
}

/** Starts a Cloud Storage on a free port of the loopback. */
export async function startGcs(): Promise<GcsServer> {
  const objects = new Map<string, Buffer>()
  const metadata = new Map<string, unknown>()
  const requests: string[] = []
  const http = createServer((request, response) => void answer(request, response))
  // On a busy machine, the client may otherwise use a connection at the moment when the server ends it.
  http.keepAliveTimeout = 0
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  if (typeof address !== 'object' || address === null) throw new TypeError('the server has no port')
  const storage = new Storage({
    apiEndpoint: `http://127.0.0.1:${address.port}`,
    projectId: 'test',
    retryOptions: { autoRetry: false },
    useAuthWithCustomEndpoint: false,
  })
  const server: GcsServer = {
    objects,
    metadata,
    requests,
    bucket: storage.bucket('answers'),
    refuses: false,
    async close() {
      http.closeAllConnections()
      await new Promise<void>((resolve) => {
        http.close(() => resolve())
      })
    },
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    requests.push(`${request.method} ${url.pathname}`)
    const chunks: Buffer[] = []
    for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk)
    if (server.refuses) return refuse(response, 503, 'backendError')
    if (request.method === 'POST') {
      const { head, body } = parts(request.headers['content-type'] ?? '', Buffer.concat(chunks))
      const name = url.searchParams.get('name') ?? String(Reflect.get(Object(head), 'name'))
      objects.set(name, body)
      metadata.set(name, head)
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(facts(name, body)))
      return
    }
    const name = decodeURIComponent(/\/o\/([^/?]+)$/.exec(url.pathname)?.[1] ?? '')
    const body = objects.get(name)
    const generation = url.searchParams.get('generation')
    if (body === undefined || (generation !== null && generation !== generationOf(body))) return refuse(response, 404, 'notFound')
    if (request.method === 'DELETE') {
      objects.delete(name)
      response.writeHead(204).end()
      return
    }
    if (url.searchParams.get('alt') !== 'media') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(facts(name, body)))
      return
    }
    const hash = `crc32c=${checksumOf(body)}`
    response.writeHead(200, { 'content-length': body.byteLength, 'x-goog-hash': hash, 'x-goog-generation': generationOf(body) }).end(body)
  }

  return server
}

function facts(name: string, body: Buffer): object {
  const size = String(body.byteLength)
  return { kind: 'storage#object', bucket: 'answers', name, generation: generationOf(body), size, crc32c: checksumOf(body) }
}

function checksumOf(body: Buffer): string {
  const checksum = new CRC32C()
  checksum.update(body)
  return checksum.toString()
}

/** A number of its own for each content. */
function generationOf(body: Buffer): string {
  return String(createHash('md5').update(body).digest().readUInt32BE())
}

/** The two parts of an upload: what is to be known of the object, and its bytes. */
function parts(type: string, whole: Buffer): { head: unknown; body: Buffer } {
  const boundary = `--${/boundary="?([^";]+)/.exec(type)?.[1] ?? ''}`
  const headAt = whole.indexOf('\r\n\r\n') + 4
  const headEnd = whole.indexOf(`\r\n${boundary}`, headAt)
  const bodyAt = whole.indexOf('\r\n\r\n', headEnd) + 4
  const bodyEnd = whole.lastIndexOf(`\r\n${boundary}--`)
  return { head: JSON.parse(whole.subarray(headAt, headEnd).toString()), body: Buffer.from(whole.subarray(bodyAt, bodyEnd)) }
}

function refuse(response: ServerResponse, code: number, reason: string): void {
  const error = { code, message: reason, errors: [{ reason, message: reason }] }
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
}
