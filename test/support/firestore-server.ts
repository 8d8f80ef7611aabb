/**
 * As much of Firestore as a cache needs, over HTTP, by its REST API: https://firebase.google.com/docs/firestore/reference/rest
 * The client speaks it instead of gRPC by its setting `preferRest`.
 * @module
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Firestore } from '@google-cloud/firestore'
import { GoogleAuth, PassThroughClient } from 'google-auth-library'

/** What becomes of requests: an answer as it should be, a status of refusal, none at all, or a broken connection. */
export type FirestoreManner = 'works' | 'never' | 'cut' | { readonly http: number; readonly status: string }

/** A value in JSON: `{ stringValue: 'a' }`. */
type Value = Readonly<Record<string, unknown>>

/** A document, as it lies there. */
export interface KeptDocument {
  readonly fields: Readonly<Record<string, Value>>
  readonly updateTime: string
}

/** A Firestore for tests. */
export interface FirestoreServer {
  /** By the end of their names: `llmemo/1f…`. A test may change them. */
  readonly documents: Map<string, KeptDocument>
  /** Every request: `commit 2`, `batchGet 1`, `runQuery`. */
  readonly requests: string[]
  /** For `FIRESTORE_EMULATOR_HOST`. */
  readonly host: string
  client(): Firestore
  manner: FirestoreManner
  /** Called before writes are looked at. */
  beforeWrite: (() => void) | undefined
  close(): Promise<void>
}

/** The most bytes of a document, with its name and fields. Base64 makes four characters of three bytes. */
const maxDocumentText = (2 ** 20 * 4) / 3

/** Starts a Firestore on a free port of the loopback. It removes nothing by itself. */
export async function startFirestore(): Promise<FirestoreServer> {
  const documents = new Map<string, KeptDocument>()
  const requests: string[] = []
  let changes = 0
  const http = createServer((request, response) => void answer(request, response))
  // On a busy machine, the client may otherwise use a connection at the moment when the server ends it.
  http.keepAliveTimeout = 0
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  if (typeof address !== 'object' || address === null) throw new TypeError('the server has no port')
  const { port } = address
  const server: FirestoreServer = {
    documents,
    requests,
    host: `127.0.0.1:${port}`,
    client() {
      const auth = new GoogleAuth({ authClient: new PassThroughClient() })
      // Never terminated: the client would throw outside of any promise when a request is still being tried.
      return new Firestore({ projectId: 'test', host: '127.0.0.1', port, ssl: false, preferRest: true, auth })
    },
    manner: 'works',
    beforeWrite: undefined,
    async close() {
      http.closeAllConnections()
      await new Promise<void>((resolve) => {
        http.close(() => resolve())
      })
    },
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk)
    const body: Record<string, unknown> = JSON.parse(Buffer.concat(chunks).toString())
    const method = /:(\w+)\?/.exec(request.url ?? '')?.[1] ?? ''
    const many = list(body['writes'] ?? body['documents']).length
    requests.push(many === 0 ? method : `${method} ${many}`)
    if (server.manner === 'never') return
    if (server.manner === 'cut') return void response.destroy()
    if (server.manner !== 'works') return refuse(response, server.manner.http, server.manner.status)
    if (method === 'batchGet')
      return reply(
        response,
        list(body['documents']).map((name) => found(String(name))),
      )
    if (method === 'runQuery') return reply(response, queried(Object(body['structuredQuery'])))
    commit(response, list(body['writes']).map(Object))
  }

  function found(name: string): object {
    const document = documents.get(shortName(name))
    const readTime = timeOf(changes)
    return document === undefined
      ? { missing: name, readTime }
      : { found: { name, ...document, createTime: document.updateTime }, readTime }
  }

  /** All writes of one request are made, or none. */
  function commit(response: ServerResponse, writes: readonly Record<string, unknown>[]): void {
    server.beforeWrite?.()
    for (const { update, delete: removed, currentDocument } of writes) {
      const there = documents.get(shortName(String(Reflect.get(Object(update), 'name') ?? removed)))
      const { exists, updateTime }: Record<string, unknown> = Object(currentDocument)
      if (exists === false && there !== undefined) return refuse(response, 409, 'ALREADY_EXISTS')
      if (updateTime !== undefined && updateTime !== there?.updateTime) return refuse(response, 400, 'FAILED_PRECONDITION')
      if (update !== undefined && JSON.stringify(update).length > maxDocumentText) return refuse(response, 400, 'INVALID_ARGUMENT')
    }
    changes += 1
    const updateTime = timeOf(changes)
    for (const { update, delete: removed, updateMask } of writes) {
      const { name, fields }: Record<string, unknown> = Object(update)
      const former = updateMask === undefined ? {} : documents.get(shortName(String(name)))?.fields
      if (update === undefined) documents.delete(shortName(String(removed)))
      else documents.set(shortName(String(name)), { fields: { ...former, ...Object(fields) }, updateTime })
    }
    reply(response, { writeResults: writes.map(() => ({ updateTime })), commitTime: updateTime })
  }

  /** The one kind of query that there is: keys from one on, in order, by pages. */
  function queried({ from, where, startAt, limit, select }: Record<string, unknown>): object[] {
    const collection = String(at(from, 0, 'collectionId'))
    const least = Buffer.from(String(at(where, 'fieldFilter', 'value', 'stringValue')))
    const after = at(startAt, 'values', 0, 'stringValue')
    const fields = list(at(select, 'fields')).map((field) => String(at(field, 'fieldPath')))
    const rows = [...documents]
      .flatMap(([name, { fields: all, updateTime }]) => {
        const key = all['key']?.['stringValue']
        return name.startsWith(`${collection}/`) && typeof key === 'string' ? [{ name, all, updateTime, key: Buffer.from(key) }] : []
      })
      .filter(({ key }) => Buffer.compare(key, least) >= 0 && (typeof after !== 'string' || Buffer.compare(key, Buffer.from(after)) > 0))
      .toSorted((a, b) => Buffer.compare(a.key, b.key))
      .slice(0, Number(limit))
    if (rows.length === 0) return [{ readTime: timeOf(changes) }]
    return rows.map(({ name, all, updateTime }) => {
      const shown = Object.fromEntries(fields.flatMap((field) => (all[field] === undefined ? [] : [[field, all[field]]])))
      const document = { name: `projects/test/databases/(default)/documents/${name}`, fields: shown, updateTime, createTime: updateTime }
      return { document, readTime: timeOf(changes) }
    })
  }

  return server
}

function shortName(name: string): string {
  return name.replace(/^.*?\/documents\//, '')
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce((inner: unknown, step) => Reflect.get(Object(inner), step), value)
}

/** A time of its own for each change. */
function timeOf(changes: number): string {
  return `2026-01-01T00:00:00.${String(changes).padStart(6, '0')}Z`
}

function reply(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function refuse(response: ServerResponse, code: number, status: string): void {
  const error = { code, status, message: `refused with ${status}` }
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
}
