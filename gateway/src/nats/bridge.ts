/**
 * Events and invalidations over NATS. The gateway works the same without the server: events are dropped while it is away, never kept up.
 * @module
 */
import { connect, type Msg, type NatsConnection, nuid } from '@nats-io/transport-node'
import type { Cache, Clock } from 'llmemo'
import { tenantName } from '../config/access-settings.ts'
import type { GatewaySettings } from '../config/settings.ts'
import { spaceOf } from '../access/tenant-space.ts'
import { hitEvent, invalidateEvent, type KeptEvent, missEvent } from '../events/events.ts'
import type { Log } from '../log.ts'
import { carryOut } from '../rest/invalidate.ts'
import { invalidated } from '../rest/schemas.ts'

/** What the bridge works with. */
export interface NatsOptions {
  readonly cache: Cache
  readonly settings: NonNullable<GatewaySettings['nats']>
  readonly log: Log
  readonly clock: Clock
}

/** A bridge at work. */
export interface NatsBridge {
  /** Resolves with the first connection. */
  readonly connected: Promise<void>
  /** Sends what is on its way, and ends the connection. */
  close(): Promise<void>
}

/** Milliseconds between two attempts to reach the server. */
const reconnectAfter = 2_000

/** Milliseconds between two attempts at a server that refuses the credential. */
const refusedAfter = 60_000

/** Milliseconds between two looks whether savings have changed. */
const savingsEvery = 15_000

/** Events that may be on their way before the server has confirmed any. Further ones are dropped. */
const maxUnconfirmed = 10_000

/** Bytes of an invalidation. */
const maxMessageBytes = 65_536

const admin = spaceOf({})

/** Connects, now or as soon as the server is there. */
export function openNats({ cache, settings: { url, prefix }, log, clock }: NatsOptions): NatsBridge {
  let connection: NatsConnection | undefined
  let isOpen = false
  let isClosed = false
  let unconfirmed = 0
  let isConfirming = false
  let isDropping = false

  const publish = (subject: string, data: unknown): void => {
    if (connection === undefined || !isOpen) return
    if (unconfirmed >= maxUnconfirmed) {
      if (!isDropping) log('warn', 'nats-slow')
      isDropping = true
      return
    }
    isDropping = false
    connection.publish(`${prefix}.events.${subject}`, JSON.stringify(data))
    unconfirmed++
    if (isConfirming) return
    isConfirming = true
    const sent = unconfirmed
    connection
      .flush()
      .then(() => (unconfirmed -= sent))
      // The connection broke: what was on its way is lost.
      .catch(() => (unconfirmed = 0))
      .finally(() => (isConfirming = false))
  }
  const tell = (event: KeptEvent, scope: string): void => publish(`${event.name}.${tokenOf(scope)}`, event.dataFor(admin))
  const ends = [
    cache.on('hit', (event) => tell(hitEvent(event, clock.now()), event.scope)),
    cache.on('miss', (event) => tell(missEvent(event, clock.now()), event.scope)),
    cache.on('invalidate', (event) => tell(invalidateEvent(event, clock.now()), '-')),
  ]
  let told = ''
  let cancelSavings: (() => void) | undefined
  const tellSavings = (): void => {
    const { hits, misses, savedUsd, savedTokens, savedMs } = cache.stats()
    const now = { hits, misses, saved_usd: savedUsd, saved_tokens: savedTokens, saved_ms: savedMs }
    const text = JSON.stringify(now)
    if (text !== told && isOpen) {
      publish('savings', now)
      told = text
    }
    cancelSavings = clock.after(savingsEvery, tellSavings)
  }

  const take = async (message: Msg): Promise<void> => {
    const answer = (body: object): void =>
      void (message.reply !== undefined && message.reply !== '' && message.respond(JSON.stringify(body)))
    const body = message.data.byteLength > maxMessageBytes ? undefined : jsonIn(message)
    const { tenant, ...selected } = typeof body === 'object' && body !== null ? { tenant: undefined, ...body } : { tenant: undefined }
    const named = tenantName.optional().safeParse(tenant)
    const checked = invalidated.safeParse(selected)
    if (!named.success || !checked.success || checked.data.dryRun === true) {
      log('warn', 'nats-invalidation-refused')
      return answer({ error: 'Not an invalidation: see docs/gateway.md.' })
    }
    try {
      answer(await carryOut(cache, checked.data, spaceOf(named.data === undefined ? {} : { tenant: named.data })))
    } catch {
      log('error', 'nats-invalidation-failed')
      answer({ error: 'The store failed.' })
    }
  }

  const watch = async (current: NatsConnection): Promise<void> => {
    for await (const { type } of current.status()) {
      if (type === 'disconnect') {
        isOpen = false
        log('warn', 'nats-away')
      } else if (type === 'reconnect') {
        isOpen = true
        unconfirmed = 0
        log('info', 'nats-connected')
      }
    }
  }

  const { promise: connected, resolve: isConnected } = Promise.withResolvers<void>()
  let isAway = false
  let cancelRetry: (() => void) | undefined
  const begin = async (): Promise<void> => {
    const current = await connect({
      ...serverIn(url),
      name: `llmemo-gateway ${nuid.next()}`,
      maxReconnectAttempts: -1,
      reconnectTimeWait: reconnectAfter,
    })
    if (isClosed) return current.close()
    connection = current
    isOpen = true
    log('info', 'nats-connected')
    void watch(current)
    current.subscribe(`${prefix}.invalidate`, { callback: (error, message) => void (error === null && take(message)) })
    await current.flush()
    tellSavings()
    isConnected()
  }
  const retry = (): void => {
    begin().catch((error: unknown) => {
      // The message may hold the URL, and that a password.
      const isRefused = error instanceof Error && error.name === 'AuthorizationError'
      if (isRefused) log('error', 'nats-refused')
      else if (!isAway) log('warn', 'nats-away')
      isAway = true
      if (!isClosed) cancelRetry = clock.after(isRefused ? refusedAfter : reconnectAfter, retry)
    })
  }
  retry()
  return {
    connected,
    async close() {
      isClosed = true
      ends.forEach((end) => end())
      cancelSavings?.()
      cancelRetry?.()
      // Without a server there is nothing to wait for.
      await (isOpen ? connection?.drain() : connection?.close())?.catch(() => undefined)
    },
  }
}

/** A scope as one token of a subject. Dots would make it several. */
function tokenOf(scope: string): string {
  return scope === '' ? '-' : scope.replaceAll(/[^\w-]/g, '_')
}

function jsonIn(message: Msg): unknown {
  try {
    return message.json()
  } catch {
    return undefined
  }
}

/** The parts of a URL as the client takes them. */
function serverIn(url: string): object {
  const { protocol, host, username, password } = new URL(url)
  const [user, pass] = [decodeURIComponent(username), decodeURIComponent(password)]
  return {
    servers: host,
    ...(protocol === 'tls:' && { tls: {} }),
    ...(user !== '' && (pass === '' ? { token: user } : { user, pass })),
  }
}
