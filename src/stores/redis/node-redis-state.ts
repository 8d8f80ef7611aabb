/**
 * Whether a client of node-redis can be used: connected, not yet, no longer.
 *
 * Such a client keeps the commands of a lost connection without limit, and throws errors of its connection at the process unless something
 * listens to them. It has to be connected by a call.
 * @module
 */

/** The part of a client that says whether it is connected. */
interface Connecting {
  readonly isOpen: boolean
  readonly isReady?: boolean | undefined
  readonly masters?: readonly object[]
  connect(): Promise<unknown>
  on(event: string, listener: () => void): unknown
}

/** Clients that a store uses. Two stores over one client share what is known of it. */
const known = new WeakMap<Connecting, NodeRedisState>()

/** What is known of this client. The first call for a client begins to listen to its events. */
export function nodeRedisState(client: Connecting): NodeRedisState {
  const state = known.get(client) ?? new NodeRedisState(client)
  known.set(client, state)
  return state
}

/** What is known of one client. */
export class NodeRedisState {
  readonly #client: Connecting
  /** Settles when the first connection is made or has failed. A later one is not waited for. */
  readonly #first: Promise<void>
  #settle = (): void => {}
  #isSettled = false
  #isConnecting = false

  constructor(client: Connecting) {
    this.#client = client
    this.#first = new Promise((resolve) => {
      this.#settle = () => {
        this.#isSettled = true
        resolve()
      }
    })
    const arrived = (): void => {
      if (isReady(client)) this.#settle()
    }
    arrived()
    client.on('ready', arrived)
    client.on('connect', arrived)
    client.on('error', this.#settle)
    client.on('end', this.#settle)
  }

  /** Settles when the first connection is made or has failed; `undefined` when there is nothing to wait for. Never rejects. */
  firstConnection(): Promise<void> | undefined {
    if (this.#isSettled) return undefined
    if (!this.#client.isOpen && !this.#isConnecting) {
      this.#isConnecting = true
      this.#client.connect().then(this.#settle, this.#settle)
    }
    return this.#first
  }

  /** The error of a command that would wait in the client's queue; `undefined` when it can be sent. */
  lost(): Error | undefined {
    if (!this.#client.isOpen) return new Error('Connection is closed')
    return isReady(this.#client) ? undefined : new Error('Connection is lost')
  }
}

function isReady({ isOpen, isReady: ready, masters }: Connecting): boolean {
  return isOpen && (ready ?? (masters === undefined || masters.length > 0))
}
