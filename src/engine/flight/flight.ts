/**
 * A flight: one upstream call that several equal callers wait for. Its answer comes as a head and a run of items (bytes, or events);
 * every caller gets all of it from the first item, at its own pace. One caller that leaves does not disturb the others.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { DeadlineError } from '../../errors.ts'
import { Reader, type ReaderFlight } from './reader.ts'
import type { FlightBounds, FlightEnd, FlightReader, Origin, Recording, Upstream } from './upstream.ts'
import { Watch } from './watch.ts'

/** Milliseconds for which a slow reader may hold up readers that are a whole bound ahead of it. */
const stallTimeout = 30_000

/** How a flight is made. */
export interface FlightOptions<Head, Item> {
  readonly origin: Origin<Head, Item>
  readonly bounds: FlightBounds
  readonly clock: Clock
  /** Called once, when no further caller may join. */
  readonly closed: () => void
  /** Called at most once, when no caller reads the answer any longer. A caller that still has it may read on. It must not throw. */
  readonly idle?: (() => void) | undefined
  /**
   * Called once with what the flight leaves behind, before its callers see the end. Never called if the upstream gave no head.
   * It must not throw.
   */
  readonly ended: (recording: Recording<Head, Item>) => void
}

/** One upstream call that several equal callers wait for. */
export class Flight<Head, Item> implements ReaderFlight<Head, Item> {
  readonly #origin: Origin<Head, Item>
  readonly #bounds: FlightBounds
  readonly #clock: Clock
  readonly #closed: () => void
  readonly #idle: (() => void) | undefined
  readonly #ended: (recording: Recording<Head, Item>) => void
  readonly #controller = new AbortController()
  readonly #upstream: Promise<Upstream<Head, Item>>
  readonly #readers = new Set<Reader<Head, Item>>()
  readonly #watch: Watch
  #head: Upstream<Head, Item> | undefined
  #items: Item[] = []
  /** The position in the answer of the first item that is still kept. */
  #first = 0
  #bytes = 0
  #reading: Promise<void> | undefined
  #outcome: { readonly error?: unknown } | undefined
  #open = true
  #unusable: string | undefined
  #drains: (() => void)[] = []
  #cancelStall: (() => void) | undefined

  /** Starts the upstream call at once. The caller joins in the same turn of the event loop. */
  constructor({ origin, bounds, clock, closed, idle, ended }: FlightOptions<Head, Item>) {
    this.#origin = origin
    this.#bounds = bounds
    this.#clock = clock
    this.#closed = closed
    this.#idle = idle
    this.#ended = ended
    this.#watch = new Watch({ clock, deadline: bounds.deadline, expired: () => this.#expire(), idle: () => this.#leaveToReaders() })
    this.#upstream = this.#start()
    this.#upstream.catch(() => undefined)
  }

  /** Lets a caller join. Only while the flight is open: `closed` is called when it no longer is. */
  join(signal?: AbortSignal): FlightReader<Head, Item> {
    const reader = new Reader<Head, Item>(this, signal)
    this.#readers.add(reader)
    reader.listen()
    return reader
  }

  /** The head, for one of its readers. */
  async arrival(reader: Reader<Head, Item>): Promise<Head> {
    return (await this.#arrival(reader)).head
  }

  /** Whether it has ended by an error. */
  hasFailed(): boolean {
    return this.#outcome !== undefined && 'error' in this.#outcome
  }

  async #start(): Promise<Upstream<Head, Item>> {
    // The first caller joins before the upstream can answer or fail.
    await Promise.resolve()
    try {
      this.#controller.signal.throwIfAborted()
      const upstream = await this.#origin.start(this.#controller.signal)
      this.#head = upstream
      this.#watch.noteActivity()
      if (!upstream.shareable) this.#close()
      if (this.#readers.size === 0) this.#abandon()
      return upstream
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  async #arrival(state: Reader<Head, Item>): Promise<Upstream<Head, Item>> {
    await this.#race(state, this.#upstream)
    return this.#upstream
  }

  /** The next item, for one of its readers. */
  async next(state: Reader<Head, Item>): Promise<Item | undefined> {
    this.#watch.noteActivity()
    const upstream = this.#head ?? (await this.#arrival(state))
    for (;;) {
      if (state.left) throw state.reason()
      const item = this.#items[state.position - this.#first]
      if (item !== undefined) {
        state.position++
        this.#trim()
        return item
      }
      if (this.#outcome !== undefined) {
        this.#readers.delete(state)
        state.release()
        if ('error' in this.#outcome) throw this.#outcome.error
        return undefined
      }
      await this.#race(state, this.#mayRead() ? this.#read(upstream) : this.#drained())
    }
  }

  /** Waits until `work` is done or the caller leaves. `work` goes on for the others. */
  async #race(state: Reader<Head, Item>, work: Promise<unknown>): Promise<void> {
    if (state.left) throw state.reason()
    this.#watch.waits(1)
    try {
      await new Promise<unknown>((resolve, reject) => {
        state.wake = resolve
        work.then(resolve, reject)
      })
    } finally {
      this.#watch.waits(-1)
    }
    state.wake = undefined
    if (state.left) throw state.reason()
  }

  /** One read of the upstream, shared by all readers that wait for it. Never rejects: readers find its outcome in the flight. */
  #read(upstream: Upstream<Head, Item>): Promise<void> {
    this.#reading ??= this.#readOne(upstream).finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readOne(upstream: Upstream<Head, Item>): Promise<void> {
    try {
      const result = await upstream.items.next()
      if (this.#outcome !== undefined) return
      if (result.done === true) return this.#end('complete', {})
      const size = this.#origin.size(result.value)
      this.#items.push(result.value)
      this.#bytes += size
      if (this.#bytes > this.#bounds.maxBytes) this.#spoil('too large')
    } catch (error) {
      this.#end('failed', { error })
    }
  }

  /** The fastest reader waits if the slowest is a whole bound behind, so that the items between them stay bounded. */
  #mayRead(): boolean {
    return this.#readers.size === 1 || this.#bytes <= this.#bounds.maxBytes
  }

  #drained(): Promise<void> {
    this.#cancelStall ??= this.#clock.after(stallTimeout, () => this.#removeSlowest())
    return new Promise((resolve) => this.#drains.push(resolve))
  }

  #removeSlowest(): void {
    this.#cancelStall = undefined
    const slowest = this.#slowest()
    const error = new DeadlineError('reading a shared answer', stallTimeout)
    for (const state of this.#readers) if (state.position === slowest) this.leave(state, () => error)
  }

  #slowest(): number {
    let slowest = Infinity
    for (const state of this.#readers) slowest = Math.min(slowest, state.position)
    return slowest
  }

  #resume(): void {
    this.#cancelStall?.()
    this.#cancelStall = undefined
    for (const resume of this.#drains.splice(0)) resume()
  }

  /** Once no caller may join and nothing is recorded, drops the items that all readers have read. */
  #trim(): void {
    if (this.#unusable === undefined) return
    const surplus = Math.min(this.#slowest() - this.#first, this.#items.length)
    if (surplus <= 0) return
    for (const item of this.#items.splice(0, surplus)) this.#bytes -= this.#origin.size(item)
    this.#first += surplus
    this.#resume()
  }

  /** Lets a reader go. */
  leave(state: Reader<Head, Item>, reason: () => unknown): void {
    if (state.left) return
    state.left = true
    state.reason = reason
    state.release()
    state.wake?.(undefined)
    if (!this.#readers.delete(state)) return
    this.#trim()
    // The others may have waited for this caller.
    this.#resume()
    if (this.#readers.size === 0 && this.#outcome === undefined) this.#abandon()
  }

  /** The last caller has left: aborts the upstream call, and hands over what came until then. */
  #abandon(): void {
    this.#controller.abort(new DOMException('No caller waits for this answer any longer.', 'AbortError'))
    void this.#release()
    this.#end('cancelled', { error: this.#controller.signal.reason })
  }

  async #release(): Promise<void> {
    try {
      await this.#head?.items.return?.()
    } catch {
      // No caller is left that could be told.
    }
  }

  /** From here on, the answer is kept alive by the callers that have it. They may still read it to its end, and then it is stored. */
  #leaveToReaders(): void {
    this.#close()
    this.#idle?.()
  }

  #expire(): void {
    this.#spoil('deadline')
    if (this.#head !== undefined) return
    const error = new DeadlineError('the upstream call', this.#bounds.deadline)
    this.#controller.abort(error)
    this.#fail(error)
  }

  /** The upstream gave no answer: all callers get the error. */
  #fail(error: unknown): void {
    this.#end('failed', { error })
    for (const state of this.#readers) this.leave(state, () => error)
  }

  #spoil(reason: string): void {
    this.#unusable ??= reason
    this.#close()
    this.#trim()
  }

  #close(): void {
    if (!this.#open) return
    this.#open = false
    this.#closed()
  }

  #end(end: FlightEnd, outcome: { readonly error?: unknown }): void {
    if (this.#outcome !== undefined) return
    this.#outcome = outcome
    this.#watch.end()
    this.#close()
    this.#resume()
    if (this.#head === undefined) return
    const latency = this.#watch.elapsed
    // The watch of an idle flight ended before its deadline.
    if (latency >= this.#bounds.deadline) this.#unusable ??= 'deadline'
    this.#ended({ head: this.#head.head, items: this.#items, end, unusable: this.#unusable, latency })
  }
}
