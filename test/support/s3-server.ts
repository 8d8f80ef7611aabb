/**
 * As much of S3 as a cache needs, over HTTP: objects with ETags, and every fault of them that a test wants.
 * @module
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { S3Client } from '@aws-sdk/client-s3'
import { anywhere } from './dynamodb-server.ts'

/** How objects are read or written. `cut` ends the socket in the middle of a body, `short` leaves its last byte out, `never` sends its head only. */
export type S3Manner = 'works' | 'slow down' | 'cut' | 'short' | 'never'

/** An S3 for tests. */
export interface S3Server {
  /** By bucket and name: `answers/llmemo/…`. A test may change them. */
  readonly objects: Map<string, Buffer>
  /** Every request: `PUT answers/llmemo/…`. */
  readonly requests: string[]
  readonly client: S3Client
  reads: S3Manner
  writes: S3Manner
  close(): Promise<void>
}

/** Starts an S3 on a free port of the loopback. */
export async function startS3(): Promise<S3Server> {
  const objects = new Map<string, Buffer>()
  const requests: string[] = []
  const http = createServer((request, response) => void answer(request, response))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  if (typeof address !== 'object' || address === null) throw new TypeError('the server has no port')
  const client = new S3Client({ ...anywhere, endpoint: `http://127.0.0.1:${address.port}`, forcePathStyle: true })
  const server: S3Server = {
    objects,
    requests,
    client,
    reads: 'works',
    writes: 'works',
    async close() {
      client.destroy()
      http.closeAllConnections()
      await new Promise<void>((resolve) => {
        http.close(() => resolve())
      })
    },
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = decodeURIComponent(request.url?.split('?')[0]?.slice(1) ?? '')
    const { method = '' } = request
    requests.push(`${method} ${name}`)
    const chunks: Buffer[] = []
    for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk)
    const manner = method === 'GET' ? server.reads : server.writes
    if (manner === 'slow down') return refuse(response, 503, 'SlowDown')
    if (method === 'PUT') objects.set(name, Buffer.concat(chunks))
    if (method === 'DELETE') objects.delete(name)
    const body = objects.get(name)
    const tag = `"${createHash('md5')
      .update(body ?? '')
      .digest('hex')}"`
    if (method !== 'GET') {
      response.writeHead(method === 'PUT' ? 200 : 204, { etag: tag }).end()
      return
    }
    if (body === undefined) return refuse(response, 404, 'NoSuchKey')
    if (request.headers['if-match'] !== undefined && request.headers['if-match'] !== tag) return refuse(response, 412, 'PreconditionFailed')
    const sent = manner === 'short' ? body.subarray(1) : body
    response.writeHead(200, { etag: tag, 'content-length': sent.byteLength })
    if (manner === 'never') response.flushHeaders()
    else if (manner === 'cut') response.write(sent.subarray(0, 10_000), () => response.destroy())
    else response.end(sent)
  }

  return server
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`)
}
