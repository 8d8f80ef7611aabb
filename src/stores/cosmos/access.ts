/**
 * Documents as items of a container of Cosmos DB. Each item is alone in its logical partition, so a read of it is a point read.
 * @module
 */
import { type Clock } from '../../clock.ts'
import type { TimeLimit } from '../../base/time-limit.ts'
import type { DocumentAccess, FoundDocument, WrittenDocument } from '../documents/access.ts'
import type { CosmosBody, CosmosContainer, CosmosItemResponse, CosmosRequestOptions } from './container.ts'
import { statusOf } from './errors.ts'

/** Requests at a time. More would only wait for the throughput of the container. */
const maxConcurrentRequests = 20
/** The status that an item has which the container itself lacks. */
const noContainer = 1003
/** The largest `ttl` of an item, in seconds: https://learn.microsoft.com/azure/cosmos-db/time-to-live */
const maxTtl = 2_147_483_647

/** What a {@link CosmosAccess} works with. */
export interface CosmosAccessOptions {
  readonly container: CosmosContainer
  readonly partitionKey: string
  readonly limit: TimeLimit
  readonly clock: Clock
}

/** Reads and writes items. */
export class CosmosAccess implements DocumentAccess {
  /** An item may have 2 MB of JSON, in which bytes are base64: https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits */
  readonly maxValueBytes = 1_500_000
  readonly #container: CosmosContainer
  readonly #partitionKey: string
  readonly #limit: TimeLimit
  readonly #clock: Clock

  constructor({ container, partitionKey, limit, clock }: CosmosAccessOptions) {
    this.#container = container
    this.#partitionKey = partitionKey
    this.#limit = limit
    this.#clock = clock
  }

  async read(ids: readonly string[], signal?: AbortSignal): Promise<readonly (FoundDocument | undefined)[]> {
    return inGroups(ids, async (id) => {
      const response = await this.#send((options) => this.#container.item(id, id).read(options), signal)
      return foundIn(response)
    })
  }

  async write(documents: readonly WrittenDocument[]): Promise<void> {
    await allTried(documents, (document) => this.#send((options) => this.#container.items.upsert(this.#bodyOf(document), options)))
  }

  async writeIf(document: WrittenDocument, version: unknown): Promise<boolean> {
    const body = this.#bodyOf(document)
    return isMet(
      this.#send((options) =>
        version === undefined
          ? this.#container.items.create(body, options)
          : this.#container.item(body.id, body.id).replace(body, { ...options, ...unchanged(version) }),
      ),
    )
  }

  async remove(ids: readonly string[]): Promise<void> {
    await allTried(ids, (id) => isMet(this.#send((options) => this.#container.item(id, id).delete(options))))
  }

  async removeIf(id: string, version: unknown): Promise<void> {
    await isMet(this.#send((options) => this.#container.item(id, id).delete({ ...options, ...unchanged(version) })))
  }

  async *list(prefix: string): AsyncGenerator<Pick<FoundDocument, 'key' | 'until'>> {
    const query = this.#container.items.query({
      query: 'SELECT c["key"], c["until"] FROM c WHERE STARTSWITH(c["key"], @prefix)',
      parameters: [{ name: '@prefix', value: prefix }],
    })
    while (query.hasMoreResults()) {
      const { resources = [] } = await this.#limit.within('a request to Cosmos DB', () => query.fetchNext())
      for (const resource of resources) yield Object(resource)
    }
  }

  #bodyOf({ id, until, fields: { value, ...fields } }: WrittenDocument): CosmosBody {
    // Counted from when Cosmos DB writes the item, in whole seconds of its clock. One more, so that it is never removed too early.
    const ttl = Math.min(Math.max(1, Math.ceil((until - this.#clock.now()) / 1_000) + 1), maxTtl)
    return {
      ...fields,
      ...(value !== undefined && { value: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }),
      [this.#partitionKey]: id,
      id,
      ttl,
    }
  }

  #send<Answer>(request: (options: CosmosRequestOptions) => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
    const what = 'a request to Cosmos DB'
    return this.#limit.within(what, (abortSignal) => request({ abortSignal }), signal)
  }
}

function unchanged(version: unknown): Pick<CosmosRequestOptions, 'accessCondition'> {
  return { accessCondition: { type: 'IfMatch', condition: String(version) } }
}

/** The item in an answer. The SDK takes a missing item, and a missing container too, for an answer without one. */
function foundIn({ resource, statusCode, substatus }: CosmosItemResponse): FoundDocument | undefined {
  if (statusCode === 404 && substatus === noContainer) throw Object.assign(new Error('no container'), { code: statusCode })
  if (typeof resource !== 'object' || resource === null) return undefined
  const { key, until, value, elsewhere, _etag: version }: Record<string, unknown> = { ...resource }
  return { key, until, value: typeof value === 'string' ? Buffer.from(value, 'base64') : undefined, elsewhere, version }
}

/** Whether the item of `change` was as it was thought to be: there (404), not there (409), or unchanged (412). */
async function isMet(change: Promise<unknown>): Promise<boolean> {
  try {
    await change
    return true
  } catch (error) {
    const status = statusOf(error)
    if (status === 409 || status === 412 || (status === 404 && Reflect.get(Object(error), 'substatus') !== noContainer)) return false
    throw error
  }
}

/** Runs `work` for all, a group of concurrent requests at a time. */
async function inGroups<Given, Result>(all: readonly Given[], work: (given: Given) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let start = 0; start < all.length; start += maxConcurrentRequests)
    results.push(...(await Promise.all(all.slice(start, start + maxConcurrentRequests).map(work))))
  return results
}

/** Runs `work` for all, and throws the first failure when all were tried. */
async function allTried<Given>(all: readonly Given[], work: (given: Given) => Promise<unknown>): Promise<void> {
  const failures = await inGroups(all, async (given) => {
    try {
      await work(given)
      return []
    } catch (error) {
      return [error]
    }
  })
  const [first] = failures.flat()
  if (first !== undefined) throw first
}
