/**
 * As much of Azure Cosmos DB as a cache needs, over HTTP, by its REST API: https://learn.microsoft.com/rest/api/cosmos-db/
 * @module
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Container, CosmosClient, type CosmosClientOptions } from '@azure/cosmos'
import { type Clock, systemClock } from '../../src/clock.ts'

/** What becomes of requests of items: an answer as it should be, a status of refusal, none at all, or a broken connection. */
export type CosmosManner = 'works' | 'never' | 'cut' | number

/** An item, as it lies there. */
export type CosmosDocument = Readonly<Record<string, unknown>>

/** A Cosmos DB for tests, with one container. */
export interface CosmosServer {
  /** By id. A test may change them. */
  readonly items: Map<string, CosmosDocument>
  /** Every request of items: `GET 1f…`, `upsert 1f…`, `query`. */
  readonly requests: string[]
  /** Settings of the container. */
  readonly settings: { defaultTtl?: number; partitionKey: { paths: string[]; kind: 'Hash'; version: 2 } }
  readonly endpoint: string
  container(options?: Partial<CosmosClientOptions>): Container
  manner: CosmosManner
  /** Called before an item is written, once the server has looked at what is there. */
  beforeWrite: (() => void) | undefined
  close(): Promise<void>
}

/** Items in one answer to a query. */
const pageSize = 100
/** The most bytes of an item: https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits */
const maxItemBytes = 2 * 2 ** 20

/** Starts a Cosmos DB on a free port of the loopback. An item ends at its `ttl` by `clock`. */
export async function startCosmos(clock: Pick<Clock, 'now'> = systemClock): Promise<CosmosServer> {
  const items = new Map<string, CosmosDocument>()
  const requests: string[] = []
  const clients: CosmosClient[] = []
  let versions = 0
  const http = createServer((request, response) => void answer(request, response))
  // On a busy machine, the client may otherwise use a connection at the moment when the server ends it.
  http.keepAliveTimeout = 0
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  if (typeof address !== 'object' || address === null) throw new TypeError('the server has no port')
  const endpoint = `http://127.0.0.1:${address.port}/`
  const server: CosmosServer = {
    items,
    requests,
    endpoint,
    settings: { defaultTtl: -1, partitionKey: { paths: ['/id'], kind: 'Hash', version: 2 } },
    container(options = {}) {
      const key = Buffer.from('a key for tests').toString('base64')
      const connectionPolicy = {
        enableBackgroundEndpointRefreshing: false,
        retryOptions: { maxRetryAttemptCount: 0, fixedRetryIntervalInMilliseconds: 1, maxWaitTimeInSeconds: 1 },
      }
      const client = new CosmosClient({ endpoint, key, connectionPolicy, ...options })
      clients.push(client)
      return client.database('app').container('answers')
    },
    manner: 'works',
    beforeWrite: undefined,
    async close() {
      for (const client of clients) client.dispose()
      http.closeAllConnections()
      await new Promise<void>((resolve) => {
        http.close(() => resolve())
      })
    },
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url = '/', method = '', headers } = request
    const chunks: Buffer[] = []
    for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk)
    const body: Record<string, unknown> = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString())
    const location = [{ name: 'Here', databaseAccountEndpoint: endpoint }]
    if (url === '/')
      return reply(response, 200, {
        id: 'account',
        _rid: 'a',
        writableLocations: location,
        readableLocations: location,
        userConsistencyPolicy: { defaultConsistencyLevel: 'Session' },
      })
    // What is made if it is missing is there already.
    if (/^\/dbs\/\w+\/?$/.test(url)) return reply(response, 200, { id: 'llmemo', _rid: 'd' })
    if (/\/colls\/answers\/?$/.test(url)) return reply(response, 200, { id: 'answers', _rid: 'c', ...server.settings })
    if (url.endsWith('/pkranges'))
      return reply(response, 200, {
        _rid: 'c',
        PartitionKeyRanges: [{ id: '0', _rid: 'r', minInclusive: '', maxExclusive: 'FF' }],
        _count: 1,
      })
    if (headers['x-ms-cosmos-is-query-plan-request'] !== undefined) return reply(response, 200, plan)
    const id = decodeURIComponent(/\/docs\/([^/]+)$/.exec(url)?.[1] ?? (typeof body['id'] === 'string' ? body['id'] : ''))
    const kind =
      headers['x-ms-documentdb-isquery'] !== undefined ? 'query' : headers['x-ms-documentdb-is-upsert'] !== undefined ? 'upsert' : method
    requests.push(id === '' ? kind : `${kind} ${id}`)
    if (server.manner === 'never') return
    if (server.manner === 'cut') return void response.destroy()
    if (typeof server.manner === 'number') return refuse(response, server.manner)
    if (kind === 'query') return found(response, body, String(headers['x-ms-continuation'] ?? '0'))
    // The key of the partition is the id; it is a wrong request to write an item without it, or to read it by another.
    if (headers['x-ms-documentdb-partitionkey'] !== JSON.stringify([id])) return refuse(response, 400)
    const there = current(id)
    if (kind === 'GET') return there === undefined ? refuse(response, 404) : reply(response, 200, there)
    server.beforeWrite?.()
    const wanted = headers['if-match']
    if (kind === 'POST' && current(id) !== undefined) return refuse(response, 409)
    if (['PUT', 'DELETE'].includes(kind) && current(id) === undefined) return refuse(response, 404)
    if (wanted !== undefined && wanted !== current(id)?.['_etag']) return refuse(response, 412)
    if (kind === 'DELETE') {
      items.delete(id)
      response.writeHead(204).end()
      return
    }
    if (Buffer.concat(chunks).byteLength > maxItemBytes) return refuse(response, 413)
    versions += 1
    const item = { ...body, _etag: `"${versions}"`, _ts: Math.floor(clock.now() / 1_000) }
    items.set(id, item)
    reply(response, kind === 'PUT' ? 200 : 201, item, { etag: `"${versions}"` })
  }

  /** The item under an id, unless its `ttl` is over. */
  function current(id: string): CosmosDocument | undefined {
    const item = items.get(id)
    if (item === undefined || server.settings.defaultTtl === undefined) return item
    return Number(item['_ts']) + Number(item['ttl']) <= clock.now() / 1_000 ? undefined : item
  }

  function found(response: ServerResponse, body: Record<string, unknown>, continuation: string): void {
    const [first]: unknown[] = Array.isArray(body['parameters']) ? body['parameters'] : []
    const prefix = String(Reflect.get(Object(first), 'value'))
    // Pages go by id, so that none is missed or given twice while items are removed.
    const all = [...items.keys()].toSorted().filter((id) => id > continuation)
    const page = all.slice(0, pageSize)
    const Documents = page
      .map((id) => current(id))
      .filter((item) => typeof item?.['key'] === 'string' && item['key'].startsWith(prefix))
      .map((item) => ({ key: item?.['key'], until: item?.['until'] }))
    const next = all.length > pageSize ? page.at(-1) : undefined
    reply(response, 200, { _rid: 'c', Documents, _count: Documents.length }, next === undefined ? {} : { 'x-ms-continuation': next })
  }

  return server
}

/** The plan of a query without order or sums. */
const plan = {
  partitionedQueryExecutionInfoVersion: 2,
  queryInfo: {
    distinctType: 'None',
    orderBy: [],
    orderByExpressions: [],
    groupByExpressions: [],
    groupByAliases: [],
    aggregates: [],
    groupByAliasToAggregateType: {},
    rewrittenQuery: '',
    hasSelectValue: false,
  },
  queryRanges: [{ min: '', max: 'FF', isMinInclusive: true, isMaxInclusive: false }],
}

function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

function refuse(response: ServerResponse, status: number): void {
  const retry: Record<string, string> = status === 429 ? { 'x-ms-retry-after-ms': '1' } : {}
  reply(response, status, { code: `Status${status}`, message: `refused with ${status}` }, retry)
}
