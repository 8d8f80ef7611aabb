/**
 * As much of Azure Blob Storage as a cache needs, over HTTP: https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
 * @module
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob'

/** A Blob Storage for tests, with one container. */
export interface AzureBlobServer {
  /** By name. A test may change them. */
  readonly blobs: Map<string, Buffer>
  /** Every request: `PUT /account/answers/llmemo%2Fa`. */
  readonly requests: string[]
  readonly container: ContainerClient
  refuses: boolean
  close(): Promise<void>
}

/** Starts a Blob Storage on a free port of the loopback. */
export async function startAzureBlob(): Promise<AzureBlobServer> {
  const blobs = new Map<string, Buffer>()
  const requests: string[] = []
  const http = createServer((request, response) => void answer(request, response))
  // On a busy machine, the client may otherwise use a connection at the moment when the server ends it.
  http.keepAliveTimeout = 0
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  if (typeof address !== 'object' || address === null) throw new TypeError('the server has no port')
  const credential = new StorageSharedKeyCredential('account', Buffer.from('a key for tests').toString('base64'))
  const container = new ContainerClient(`http://127.0.0.1:${address.port}/account/answers`, credential, { retryOptions: { maxTries: 1 } })
  const server: AzureBlobServer = {
    blobs,
    requests,
    container,
    refuses: false,
    async close() {
      http.closeAllConnections()
      await new Promise<void>((resolve) => {
        http.close(() => resolve())
      })
    },
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?')[0] ?? '/'
    requests.push(`${request.method} ${path}`)
    const name = decodeURIComponent(path.replace(/^\/account\/answers\//, ''))
    const chunks: Buffer[] = []
    for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk)
    if (server.refuses) return refuse(response, 503, 'ServerBusy')
    if (request.method === 'PUT') {
      const body = Buffer.concat(chunks)
      blobs.set(name, body)
      response.writeHead(201, { etag: tagOf(body), 'last-modified': new Date(0).toUTCString() }).end()
      return
    }
    const body = blobs.get(name)
    if (body === undefined) return refuse(response, 404, 'BlobNotFound')
    if (request.method === 'DELETE') {
      blobs.delete(name)
      response.writeHead(202).end()
      return
    }
    const wanted = request.headers['if-match']
    if (wanted !== undefined && wanted !== tagOf(body)) return refuse(response, 412, 'ConditionNotMet')
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(String(request.headers['x-ms-range'] ?? request.headers['range'])) ?? []
    if (Number(from) >= body.byteLength) return refuse(response, 416, 'InvalidRange')
    const end = Math.min(to === '' ? body.byteLength : Number(to) + 1, body.byteLength)
    const sent = body.subarray(Number(from), end)
    response.writeHead(206, {
      etag: tagOf(body),
      'content-length': sent.byteLength,
      'content-range': `bytes ${from}-${end - 1}/${body.byteLength}`,
      'last-modified': new Date(0).toUTCString(),
    })
    response.end(sent)
  }

  return server
}

function tagOf(body: Buffer): string {
  return `"0x${createHash('md5').update(body).digest('hex').toUpperCase().slice(0, 15)}"`
}

function refuse(response: ServerResponse, status: number, code: string): void {
  const headers = { 'content-type': 'application/xml', 'x-ms-error-code': code }
  response.writeHead(status, headers).end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`)
}
