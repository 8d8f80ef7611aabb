/**
 * What every room of the gateway works with.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Cache, Clock, Fetch, Store } from 'llmemo'
import type { Monitor } from 'llmemo/monitor'
import type { Caller } from './caller.ts'
import type { GatewaySettings } from './config/settings.ts'
import type { Log } from './log.ts'

/** Made once by `createGateway`, and handed to each room. */
export interface GatewayContext {
  readonly cache: Cache
  readonly monitor: Monitor
  /** The shared tier, where keys and rates lie. @default none: no key is valid, and rates are counted in this process */
  readonly store?: Store | undefined
  /** What calls the upstreams. @default Node.js' own client */
  readonly fetch?: Fetch | undefined
  /** The checked options, with every default filled in. */
  readonly options: GatewaySettings
  readonly log: Log
  /** Counts what is refused. */
  readonly refusals: RefusalCounter
  readonly clock: Clock
  /** Aborts when the gateway closes: streams of events end, and nothing new begins. */
  readonly closing: AbortSignal
}

/** Counts refusals by reason. */
export interface RefusalCounter {
  count(reason: string): void
  /** The counts in the text format of Prometheus. */
  prometheus(): string
}

/** Where a request came in, as far as the listener knows. */
export interface Connection {
  /** The address of the peer: `127.0.0.1`. */
  readonly remoteAddress?: string
  /** Takes the caller of a request whose head is worth remembering, for the {@link FastLane}. */
  readonly learn?: (caller: Caller) => void
}

/** Answers requests whose head it knows without the web's `Request` and `Response`, which cost more than a hit. */
export interface FastLane {
  /** Takes a request. @returns whether it does; if not, it has read nothing of it */
  take(incoming: IncomingMessage, outgoing: ServerResponse): boolean
  /** Remembers the head of a request that it did not take, for a moment. */
  learn(incoming: IncomingMessage, caller: Caller): void
}

/** The types of hono's context in every room: `c.env.connection`, `c.get('caller')`. What is not counted for any rate is `isUncounted`. */
export interface GatewayEnv {
  readonly Bindings: { readonly connection: Connection }
  readonly Variables: { caller: Caller; requestId?: string; isUncounted?: boolean }
}
