/**
 * The parts of `@azure/cosmos` that the store uses, as types of our own.
 * @module
 */

/** Options of a request. */
export interface CosmosRequestOptions {
  readonly abortSignal: AbortSignal
  readonly accessCondition?: { readonly type: 'IfMatch'; readonly condition: string }
}

/** What a request of one item is answered with. */
export interface CosmosItemResponse {
  readonly resource?: unknown
  readonly statusCode: number
  readonly substatus?: number
}

/** One item of a container. */
export interface CosmosItem {
  read(options: CosmosRequestOptions): Promise<CosmosItemResponse>
  replace(body: CosmosBody, options: CosmosRequestOptions): Promise<unknown>
  delete(options: CosmosRequestOptions): Promise<unknown>
}

/** The body of an item. */
export interface CosmosBody {
  readonly id: string
  readonly ttl: number
  readonly [property: string]: unknown
}

/** A query under way. */
export interface CosmosQuery {
  hasMoreResults(): boolean
  fetchNext(): Promise<{ readonly resources?: readonly unknown[] | undefined }>
}

/** A query in the words of Cosmos DB. */
export interface CosmosQuerySpec {
  readonly query: string
  readonly parameters: { readonly name: string; readonly value: string }[]
}

/** A `Container` of `@azure/cosmos`. */
export interface CosmosContainer {
  readonly id: string
  readonly items: {
    create(body: CosmosBody, options: CosmosRequestOptions): Promise<unknown>
    upsert(body: CosmosBody, options: CosmosRequestOptions): Promise<unknown>
    query(spec: CosmosQuerySpec): CosmosQuery
  }
  item(id: string, partitionKey: string): CosmosItem
  /** Reads the settings of the container. */
  read(options: { readonly abortSignal: AbortSignal }): Promise<{ readonly resource?: unknown }>
}
