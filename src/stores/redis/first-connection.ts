/**
 * The first connection of a client that keeps no commands until it is connected. Such a client refuses every command before that moment, so
 * that the first call of each process would be a miss.
 * @module
 */

/** The part of a client that says whether it is connected. */
export interface Connecting {
  readonly status: string
  readonly options: { readonly enableOfflineQueue?: boolean | undefined }
  /** Without `once`, nothing is waited for. */
  once?(event: 'ready' | 'close' | 'end', listener: () => void): unknown
  off?(event: 'ready' | 'close' | 'end', listener: () => void): unknown
  connect?(): Promise<unknown>
}

const pending: ReadonlySet<string> = new Set(['wait', 'connecting', 'connect'])

/** Clients whose first connection was made or failed. A later one is not waited for: the store is used again when it is there. */
const settled = new WeakSet<Connecting>()
const waiting = new WeakMap<Connecting, Promise<void>>()

/** Settles when the first connection of `client` is made or has failed; `undefined` when there is nothing to wait for. Never rejects. */
export function firstConnection(client: Connecting): Promise<void> | undefined {
  if (!pending.has(client.status) || client.options.enableOfflineQueue !== false || client.once === undefined) return undefined
  if (settled.has(client)) return undefined
  const known = waiting.get(client)
  if (known !== undefined) return known
  const connection = new Promise<void>((resolve) => {
    const events = ['ready', 'close', 'end'] as const
    const done = (): void => {
      settled.add(client)
      for (const event of events) client.off?.(event, done)
      resolve()
    }
    for (const event of events) client.once?.(event, done)
  })
  waiting.set(client, connection)
  // A client made with `lazyConnect` connects at its first command, which it would refuse.
  if (client.status === 'wait') void client.connect?.().catch(() => {})
  return connection
}
