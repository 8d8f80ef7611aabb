import { getEventListeners } from 'node:events'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DeadlineError } from '../../../src/errors.ts'
import { Flight } from '../../../src/engine/flight/flight.ts'
import type { FlightReader, Origin, Recording } from '../../../src/engine/flight/upstream.ts'
import { Flights } from '../../../src/engine/flight/flights.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

/** An upstream that does what the test says, when the test says so. */
class HandDriven implements Origin<string, string> {
  starts = 0
  /** How many items were asked for. */
  pulls = 0
  returned = 0
  /** The reasons with which the flight's signal fired. */
  readonly aborts: unknown[] = []
  readonly #answer = Promise.withResolvers<{ readonly shareable: boolean }>()
  readonly #given: PromiseWithResolvers<IteratorResult<string, undefined>>[] = []
  #gives = 0

  async start(signal: AbortSignal) {
    this.starts++
    signal.addEventListener('abort', () => this.aborts.push(signal.reason))
    const { shareable } = await this.#answer.promise
    const items: AsyncIterator<string, undefined> = {
      next: () => this.#at(this.pulls++).promise,
      return: async () => {
        this.returned++
        return { done: true, value: undefined }
      },
    }
    return { head: 'head', items, shareable }
  }

  size(item: string): number {
    return item.length
  }

  arrive(shareable = true): void {
    this.#answer.resolve({ shareable })
  }

  bypassReason(error: Error): void {
    this.#answer.reject(error)
  }

  give(...items: readonly string[]): void {
    for (const value of items) this.#at(this.#gives++).resolve({ done: false, value })
  }

  finish(): void {
    this.#at(this.#gives++).resolve({ done: true, value: undefined })
  }

  fail(error: Error): void {
    this.#at(this.#gives++).reject(error)
  }

  #at(index: number): PromiseWithResolvers<IteratorResult<string, undefined>> {
    return (this.#given[index] ??= Promise.withResolvers())
  }
}

async function* empty(): AsyncGenerator<never, undefined> {}

/** Lets everything happen that waits for nothing but promises. */
async function turn(): Promise<void> {
  for (let times = 0; times < 3; times++) await new Promise((resolve) => setImmediate(resolve))
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending')
  const settled = promise.then(
    () => undefined,
    () => undefined,
  )
  return (await Promise.race([settled, turn().then(() => pending)])) === pending
}

async function readAll(reader: FlightReader<string, string>): Promise<string[]> {
  const items: string[] = []
  for (let item = await reader.next(); item !== undefined; item = await reader.next()) items.push(item)
  return items
}

async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not reject')
}

const minute = 60_000
let clock = new ManualClock()
const unhandled: unknown[] = []
const note = (error: unknown): void => void unhandled.push(error)

beforeEach(() => {
  clock = new ManualClock()
  process.on('unhandledRejection', note)
})

afterEach(async () => {
  await turn()
  process.off('unhandledRejection', note)
  expectNothingLeft()
})

function expectNothingLeft(): void {
  expect(unhandled.splice(0), 'I4 no unhandled rejection').toEqual([])
  expect(clock.timers, 'I8 no timer is left').toBe(0)
}

function take(origin: Origin<string, string>, maxBytes = 1_000) {
  const endings: Recording<string, string>[] = []
  let closings = 0
  const ended = (recording: Recording<string, string>): void => void endings.push({ ...recording, items: [...recording.items] })
  const flight = new Flight({ origin, bounds: { maxBytes, deadline: 60 * minute }, clock, closed: () => closings++, ended })
  return {
    flight,
    endings,
    get closings() {
      return closings
    },
  }
}

/** A flight whose upstream has answered, with that many callers aboard. */
async function aloft(callers: number, maxBytes?: number) {
  const origin = new HandDriven()
  const taken = take(origin, maxBytes)
  const readers = Array.from({ length: callers }, () => taken.flight.join())
  origin.arrive()
  await Promise.all(readers.map((reader) => reader.head()))
  // Two and three callers are all that is needed; a missing one would fail its test.
  const [first = taken.flight.join(), second = first, third = second] = readers
  return { origin, taken, readers, first, second, third }
}

describe('a flight', () => {
  it('K01 gives head and items of one upstream call to all its callers, each at its own pace', async () => {
    const { origin, taken, readers, first, second } = await aloft(3)
    origin.give('a', 'b')
    expect([await first.next(), await first.next()]).toEqual(['a', 'b'])
    const waiting = first.next()
    expect(await second.next()).toBe('a')
    origin.give('c')
    origin.finish()
    expect(await waiting).toBe('c')
    expect(await Promise.all(readers.map(readAll))).toEqual([[], ['b', 'c'], ['a', 'b', 'c']])
    expect([origin.starts, origin.pulls]).toEqual([1, 4])
    expect(taken.endings).toMatchObject([{ head: 'head', items: ['a', 'b', 'c'], end: 'complete', unusable: undefined }])
    expect(taken.closings).toBe(1)
  })

  it('S10 gives a caller that joins mid-stream the whole from the first item', async () => {
    const { origin, taken, first } = await aloft(1)
    origin.give('a', 'b')
    await first.next()
    await first.next()
    const joiner = taken.flight.join()
    expect(await joiner.head()).toBe('head')
    origin.give('c')
    origin.finish()
    expect(await readAll(joiner)).toEqual(['a', 'b', 'c'])
    expect(await readAll(first)).toEqual(['c'])
  })

  it('reads the upstream only when a caller asks for more: back-pressure reaches it', async () => {
    const { origin, first } = await aloft(1)
    origin.give('a', 'b', 'c')
    origin.finish()
    await turn()
    expect(origin.pulls).toBe(0)
    await first.next()
    await turn()
    expect(origin.pulls).toBe(1)
    await readAll(first)
  })

  it('tells how long the upstream took', async () => {
    const { origin, taken, first } = await aloft(1)
    clock.advance(1_234)
    origin.finish()
    await readAll(first)
    expect(taken.endings[0]?.latency).toBe(1_234)
  })

  it('is ended, and has told what it leaves behind, before a caller sees the end', async () => {
    const { origin, taken, first } = await aloft(1)
    origin.finish()
    const seen = first.next().then(() => taken.endings.length)
    expect(await seen).toBe(1)
  })

  it('gives the end again to a reader that asks on', async () => {
    const { origin, first } = await aloft(1)
    origin.finish()
    expect([await first.next(), await first.next()]).toEqual([undefined, undefined])
  })
})

describe('a caller who leaves', () => {
  it('S11 K04 does not disturb the others, even if it was the first and waited for the upstream', async () => {
    const origin = new HandDriven()
    const { flight, endings } = take(origin)
    const controller = new AbortController()
    const leader = flight.join(controller.signal)
    const other = flight.join()
    const reason = new Error('enough')
    const gone = reasonOf(leader.head())
    await turn()
    controller.abort(reason)
    expect(await gone).toBe(reason)
    expect(origin.aborts).toEqual([])
    origin.arrive()
    origin.give('a')
    origin.finish()
    expect(await readAll(other)).toEqual(['a'])
    expect(endings).toMatchObject([{ end: 'complete' }])
  })

  it('S11 may do so while it waits for an item, which is still read for the others', async () => {
    const { origin, first, second } = await aloft(2)
    const pending = reasonOf(first.next())
    const waiting = second.next()
    await turn()
    first.leave()
    expect(await pending).toMatchObject({ name: 'AbortError' })
    origin.give('a')
    origin.finish()
    expect(await waiting).toBe('a')
    expect(origin.pulls).toBe(1)
    expect(await readAll(second)).toEqual([])
  })

  it('K04 is followed by all others: the upstream is told once, let go, and nothing complete is left behind', async () => {
    const { origin, taken, readers, first } = await aloft(3)
    origin.give('a')
    await first.next()
    for (const reader of readers) {
      expect(origin.aborts).toEqual([])
      reader.leave()
      reader.leave()
    }
    await turn()
    expect(origin.aborts).toEqual([expect.objectContaining({ name: 'AbortError' })])
    expect(origin.returned).toBe(1)
    expect(taken.endings).toMatchObject([{ items: ['a'], end: 'cancelled' }])
    expect(taken.closings).toBe(1)
  })

  it('K04 leaves no recording when all leave before the upstream answers, and its late answer is let go', async () => {
    const origin = new HandDriven()
    const taken = take(origin)
    const reader = taken.flight.join()
    const head = reasonOf(reader.head())
    await turn()
    reader.leave()
    expect(await head).toMatchObject({ name: 'AbortError' })
    expect([origin.aborts.length, taken.closings]).toEqual([1, 1])
    origin.arrive()
    await turn()
    expect([origin.returned, origin.pulls, taken.endings.length]).toEqual([1, 0, 0])
  })

  it('I4 leaves no unhandled rejection when the upstream fails after all have left', async () => {
    const origin = new HandDriven()
    const { flight, endings } = take(origin)
    const reader = flight.join()
    await turn()
    reader.leave()
    origin.bypassReason(new Error('too late'))
    await turn()
    expect(endings).toEqual([])
    const late = await aloft(1)
    void reasonOf(late.first.next())
    await turn()
    late.first.leave()
    late.origin.fail(new Error('too late'))
    await turn()
    expect(late.taken.endings).toMatchObject([{ end: 'cancelled' }])
  })

  it('adds no item to the recording that comes after it has left', async () => {
    const origin = new HandDriven()
    const recordings: Recording<string, string>[] = []
    const bounds = { maxBytes: 1_000, deadline: minute }
    const reader = new Flight<string, string>({
      origin,
      bounds,
      clock,
      closed: () => undefined,
      ended: (left) => recordings.push(left),
    }).join()
    origin.arrive()
    await reader.head()
    void reasonOf(reader.next())
    await turn()
    reader.leave()
    origin.give('late')
    await turn()
    expect(recordings).toMatchObject([{ items: [] }])
  })

  it('had left before it came: it gets its own reason, and the upstream is not asked', async () => {
    const origin = new HandDriven()
    const taken = take(origin)
    const reason = new Error('never mind')
    const reader = taken.flight.join(AbortSignal.abort(reason))
    expect(await reasonOf(reader.head())).toBe(reason)
    expect(await reasonOf(reader.next())).toBe(reason)
    await turn()
    expect([origin.starts, taken.closings]).toEqual([0, 1])
  })

  it('gets nothing any more, even if there are items that it has not read', async () => {
    const { origin, first, second } = await aloft(2)
    origin.give('a')
    origin.finish()
    await readAll(second)
    first.leave()
    expect(await reasonOf(first.next())).toMatchObject({ name: 'AbortError' })
  })

  it('I6 is not listened to any longer once its answer has ended, in whichever way', async () => {
    const { signal } = new AbortController()
    const whole = new HandDriven()
    const complete = take(whole).flight.join(signal)
    whole.arrive()
    whole.finish()
    await readAll(complete)
    const broken = new HandDriven()
    const failed = take(broken).flight.join(signal)
    broken.arrive()
    broken.fail(new Error('broken'))
    await reasonOf(failed.next())
    const refused = new HandDriven()
    const none = take(refused).flight.join(signal)
    refused.bypassReason(new Error('refused'))
    await reasonOf(none.head())
    const left = take(new HandDriven()).flight.join(signal)
    left.leave()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})

describe('a flight that no caller reads', () => {
  it('G58 takes no more callers after seconds, and gives the whole answer to a caller that reads it later', async () => {
    const { origin, taken, first } = await aloft(1)
    origin.give('a')
    await first.next()
    clock.advance(4_999)
    expect(taken.closings).toBe(0)
    clock.advance(5_001)
    expect([taken.closings, clock.timers, taken.endings.length, origin.aborts.length]).toEqual([1, 0, 0, 0])
    clock.advance(minute)
    origin.give('b')
    origin.finish()
    expect(await readAll(first)).toEqual(['b'])
    expect(taken.endings).toMatchObject([{ items: ['a', 'b'], end: 'complete', unusable: undefined }])
  })

  it('G58 leaves nothing to store to a caller that reads it after its deadline', async () => {
    const { origin, taken, first } = await aloft(1)
    clock.advance(61 * minute)
    origin.give('a')
    origin.finish()
    expect(await readAll(first)).toEqual(['a'])
    expect(taken.endings).toMatchObject([{ end: 'complete', unusable: 'deadline' }])
  })

  it('G58 is not one that waits for its upstream', async () => {
    const origin = new HandDriven()
    const taken = take(origin)
    const reader = taken.flight.join()
    const head = reader.head()
    clock.advance(30 * minute)
    origin.arrive()
    expect(await head).toBe('head')
    const waiting = reader.next()
    await turn()
    clock.advance(29 * minute)
    expect(taken.closings).toBe(0)
    origin.give('a')
    expect(await waiting).toBe('a')
    origin.finish()
    await readAll(reader)
    expect(taken.endings).toMatchObject([{ items: ['a'], end: 'complete', unusable: undefined }])
  })

  it('G58 is not one of which a caller reads something now and then', async () => {
    const { origin, taken, first } = await aloft(1)
    for (let times = 0; times < 100; times++) {
      origin.give('a')
      await first.next()
      clock.advance(5_000)
    }
    expect(taken.closings).toBe(0)
    origin.finish()
    await readAll(first)
  })
})

describe('an upstream that fails', () => {
  it('K02 before its head fails all who wait with its own error, and leaves nothing behind', async () => {
    const origin = new HandDriven()
    const taken = take(origin)
    const readers = [taken.flight.join(), taken.flight.join()]
    const error = new Error('no')
    const reasons = readers.map((reader) => reasonOf(reader.head()))
    origin.bypassReason(error)
    for (const reason of await Promise.all(reasons)) expect(reason).toBe(error)
    for (const reader of readers) expect(await reasonOf(reader.next())).toBe(error)
    expect([taken.endings.length, taken.closings, origin.aborts.length]).toEqual([0, 1, 0])
  })

  it('K03 may do so by throwing at once', async () => {
    const error = new Error('at once')
    const throwing: Origin<string, string> = {
      start: () => {
        throw error
      },
      size: () => 0,
    }
    const taken = take(throwing)
    expect(await reasonOf(taken.flight.join().head())).toBe(error)
    expect([taken.endings.length, taken.closings]).toEqual([0, 1])
  })

  it.each([0, 1, 3])('S03 after %i items gives each caller these and then its error', async (count) => {
    const { origin, taken, readers } = await aloft(2)
    const items = ['a', 'b', 'c'].slice(0, count)
    const error = new Error('broken')
    origin.give(...items)
    origin.fail(error)
    for (const reader of readers) {
      const got: string[] = []
      for (const _ of items) got.push((await reader.next()) ?? '')
      expect(got).toEqual(items)
      expect(await reasonOf(reader.next())).toBe(error)
    }
    expect(taken.endings).toMatchObject([{ items, end: 'failed' }])
    expect(taken.closings).toBe(1)
  })

  it('gives its error to a caller who has still to read what came before it', async () => {
    const { origin, first, second } = await aloft(2)
    const error = new Error('broken')
    origin.give('a')
    origin.fail(error)
    await first.next()
    await reasonOf(first.next())
    expect(await second.next()).toBe('a')
    expect(await reasonOf(second.next())).toBe(error)
  })
})

describe('an answer that is not to be shared', () => {
  it('closes the flight at once and still goes whole to those who wait', async () => {
    const origin = new HandDriven()
    const taken = take(origin)
    const readers = [taken.flight.join(), taken.flight.join()]
    origin.arrive(false)
    for (const reader of readers) expect(await reader.head()).toBe('head')
    expect(taken.closings).toBe(1)
    origin.give('a')
    origin.finish()
    expect(await Promise.all(readers.map(readAll))).toEqual([['a'], ['a']])
    expect(taken.endings).toHaveLength(1)
  })

  it('I8 reaches all of them also when it is larger than the bound', async () => {
    const origin = new HandDriven()
    const { flight } = take(origin, 4)
    const readers = [flight.join(), flight.join()]
    origin.arrive(false)
    const items = ['aaa', 'bbb', 'ccc', 'ddd', 'eee']
    origin.give(...items)
    origin.finish()
    expect(await Promise.all(readers.map(readAll))).toEqual([items, items])
  })
})

describe('a deadline', () => {
  it('K03 I8 gives up an upstream that never answers, and fails all who wait by name', async () => {
    const origin = new HandDriven()
    const taken = take(origin)
    const reasons = [taken.flight.join(), taken.flight.join()].map((reader) => reasonOf(reader.head()))
    await turn()
    clock.advance(60 * minute)
    for (const reason of await Promise.all(reasons)) expect(reason).toBeInstanceOf(DeadlineError)
    expect(origin.aborts).toEqual([expect.any(DeadlineError)])
    expect([taken.closings, taken.endings.length]).toEqual([1, 0])
    origin.arrive()
    await turn()
    expect([origin.returned, origin.pulls, taken.endings.length]).toEqual([1, 0, 0])
  })

  it('I4 swallows the error of an upstream that was given up', async () => {
    const origin = new HandDriven()
    const reason = reasonOf(take(origin).flight.join().next())
    await turn()
    clock.advance(60 * minute)
    expect(await reason).toBeInstanceOf(DeadlineError)
    origin.bypassReason(new Error('too late'))
    await turn()
  })

  it('I1 detaches a stream that goes on: its readers get all of it, later callers do not join, nothing is kept', async () => {
    const { origin, taken, readers, first } = await aloft(2)
    origin.give('a')
    await first.next()
    clock.advance(60 * minute)
    expect(taken.closings).toBe(1)
    expect(origin.aborts).toEqual([])
    origin.give('b')
    origin.finish()
    expect(await Promise.all(readers.map(readAll))).toEqual([['b'], ['a', 'b']])
    expect(taken.endings).toMatchObject([{ end: 'complete', unusable: 'deadline' }])
  })
})

describe('an answer that is larger than the bound', () => {
  const items = Array.from({ length: 20 }, (_, index) => `item ${String(index).padStart(4, '0')}.`)

  it('S08 is passed on whole, but neither recorded nor shared further', async () => {
    const { origin, taken, first } = await aloft(1, 45)
    origin.give(...items.slice(0, 4))
    for (let count = 0; count < 4; count++) await first.next()
    expect(taken.closings).toBe(0)
    origin.give(...items.slice(4))
    origin.finish()
    expect(await readAll(first)).toEqual(items.slice(4))
    expect(taken.closings).toBe(1)
    expect(taken.endings).toMatchObject([{ items: [], end: 'complete', unusable: 'too large' }])
  })

  it('S02 S08 makes the fast reader wait for the slow one within the bound', async () => {
    const { origin, first, second } = await aloft(2, 45)
    origin.give(...items)
    origin.finish()
    const fast = readAll(first)
    await turn()
    // Ten bytes each: five of them are more than 45 bytes, and what is beyond waits.
    for (let read = 0; read < items.length; read++) {
      expect(origin.pulls).toBeLessThanOrEqual(read + 5)
      expect(await second.next()).toBe(items[read])
      await turn()
    }
    expect(await second.next()).toBeUndefined()
    expect(await fast).toEqual(items)
  })

  it('S02 goes on for the fast reader as soon as the slow one leaves', async () => {
    const { origin, first, second } = await aloft(2, 45)
    origin.give(...items)
    origin.finish()
    const fast = readAll(first)
    expect(await isPending(fast)).toBe(true)
    second.leave()
    expect(await fast).toEqual(items)
  })

  it('S02 I8 loses those who do not read on, however many, once they have held the others up for half a minute', async () => {
    const { origin, first, second, third } = await aloft(3, 45)
    origin.give(...items)
    origin.finish()
    const fast = readAll(first)
    await turn()
    clock.advance(20_000)
    expect(await isPending(fast)).toBe(true)
    clock.advance(20_000)
    expect(await fast).toEqual(items)
    expect(await reasonOf(second.next())).toBeInstanceOf(DeadlineError)
    expect(await reasonOf(third.head())).toBeInstanceOf(DeadlineError)
  })

  it('S02 does not lose a slow reader once no reader waits for it any longer', async () => {
    const { origin, first, second } = await aloft(2, 45)
    origin.give(...items)
    origin.finish()
    const fast = reasonOf(readAll(first))
    await turn()
    first.leave()
    await fast
    clock.advance(5 * minute)
    expect(await readAll(second)).toEqual(items)
  })

  it('S02 keeps a slow reader that reads on', async () => {
    const { origin, first, second } = await aloft(2, 45)
    origin.give(...items)
    origin.finish()
    const fast = readAll(first)
    const slow: (string | undefined)[] = []
    for (const _ of items) {
      await turn()
      clock.advance(20_000)
      slow.push(await second.next())
    }
    expect(slow).toEqual(items)
    expect(await fast).toEqual(items)
    expect(await second.next()).toBeUndefined()
  })

  it('S02 waits without end for a reader that is alone, as it holds up no other', async () => {
    const { origin, first } = await aloft(1, 45)
    origin.give(...items)
    origin.finish()
    expect(await first.next()).toBe(items[0])
    await turn()
    expect(origin.pulls).toBe(1)
    clock.advance(59 * minute)
    expect(await readAll(first)).toEqual(items.slice(1))
  })
})

describe('the order of events', () => {
  it('S10 gives each reader who stays exactly the items in order, and each who leaves a snapshot of them', async () => {
    const reader = fc.record({ joins: fc.nat(6), leaves: fc.option(fc.nat(8), { nil: undefined }) })
    const items = fc.array(fc.string({ minLength: 1, maxLength: 6 }), { maxLength: 8 })
    const readers = fc.array(reader, { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        items,
        readers,
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        async (s, given, asked, most, fails) => {
          const error = new Error('broken')
          async function* upstream() {
            for (const item of given) {
              await s.schedule(Promise.resolve(), 'item')
              yield item
            }
            await s.schedule(Promise.resolve(), 'end')
            if (fails) throw error
          }
          const origin: Origin<string, string> = {
            start: async () => {
              await s.schedule(Promise.resolve(), 'head')
              return { head: 'head', items: upstream(), shareable: true }
            },
            size: (item) => item.length,
          }
          const flights = new Flights<string, string>({ maxBytes: most, deadline: minute }, clock)
          const ended: Recording<string, string>[] = []
          let begun = 0
          const read = async ({ joins, leaves }: { joins: number; leaves: number | undefined }) => {
            for (let wait = 0; wait < joins; wait++) await s.schedule(Promise.resolve(), 'join')
            const { reader, joined } = flights.join('name', origin, {
              signal: undefined,
              alone: false,
              ended: (recording) => ended.push(recording),
            })
            if (!joined) begun++
            const got: unknown[] = [await reader.head()]
            try {
              while (got.length - 1 !== leaves) {
                await s.schedule(Promise.resolve(), 'read')
                const item = await reader.next()
                got.push(item ?? 'the end')
                if (item === undefined) break
              }
            } catch (caught) {
              got.push(caught)
            }
            reader.leave()
            return got
          }
          const whole = ['head', ...given, fails ? error : 'the end']
          const got = await s.waitFor(Promise.all(asked.map(read)))
          expect(got).toEqual(asked.map(({ leaves = Infinity }) => whole.slice(0, leaves + 1)))
          expect(ended).toHaveLength(begun)
          const unusable = given.join('').length > most ? 'too large' : undefined
          const landed = ended.filter(({ end }) => end !== 'cancelled')
          for (const recording of landed) expect(recording).toMatchObject({ end: fails ? 'failed' : 'complete', unusable })
          for (const { items: recorded } of unusable === undefined ? landed : []) expect(recorded).toEqual(given)
          expect([flights.size, clock.timers]).toEqual([0, 0])
        },
      ),
      { numRuns: 300 },
    )
  })
})

function open(origin: HandDriven, flights: Flights<string, string>, alone = false) {
  return flights.join('name', origin, { signal: undefined, alone, ended: () => undefined })
}

describe('the flights under way', () => {
  const bounds = { maxBytes: 45, deadline: minute }

  it('K02 start over after a failure', async () => {
    const flights = new Flights<string, string>(bounds, clock)
    const failing = new HandDriven()
    const first = open(failing, flights)
    const reason = reasonOf(first.reader.head())
    failing.bypassReason(new Error('no'))
    await reason
    expect(flights.size).toBe(0)
    const second = open(new HandDriven(), flights)
    expect([first.joined, second.joined, flights.size]).toEqual([false, false, 1])
    second.reader.leave()
    expect(flights.size).toBe(0)
  })

  it('K03 start over after a deadline, although the old upstream still hangs', async () => {
    const flights = new Flights<string, string>(bounds, clock)
    const hanging = new HandDriven()
    const reason = reasonOf(open(hanging, flights).reader.head())
    await turn()
    clock.advance(minute)
    expect(await reason).toBeInstanceOf(DeadlineError)
    const fresh = new HandDriven()
    const { reader, joined } = open(fresh, flights)
    expect(joined).toBe(false)
    fresh.arrive()
    hanging.arrive()
    fresh.finish()
    expect(await reader.head()).toBe('head')
    expect(await readAll(reader)).toEqual([])
    expect(flights.size).toBe(0)
  })

  it('S08 start over once one has grown too large', async () => {
    const flights = new Flights<string, string>(bounds, clock)
    const large = new HandDriven()
    const { reader } = open(large, flights)
    large.arrive()
    large.give('x'.repeat(46))
    await reader.next()
    const second = open(new HandDriven(), flights)
    expect(second.joined).toBe(false)
    large.finish()
    await readAll(reader)
    expect(flights.size, 'the end of the old one does not close the new one').toBe(1)
    second.reader.leave()
  })

  it('start over for a call that asks to be alone, and later calls join the new one', async () => {
    const flights = new Flights<string, string>(bounds, clock)
    const old = open(new HandDriven(), flights)
    const alone = open(new HandDriven(), flights, true)
    const later = open(new HandDriven(), flights)
    expect([alone.joined, later.joined]).toEqual([false, true])
    old.reader.leave()
    expect(flights.size).toBe(1)
    alone.reader.leave()
    expect(flights.size, 'the later caller keeps it open').toBe(1)
    later.reader.leave()
    expect(flights.size).toBe(0)
  })

  it('start over for a call that is made from within the moment of their ending', async () => {
    const flights = new Flights<string, string>(bounds, clock)
    const origin = new HandDriven()
    const asked: boolean[] = []
    const { reader } = flights.join('name', origin, {
      signal: undefined,
      alone: false,
      ended: () => {
        const { reader: inner, joined } = open(new HandDriven(), flights)
        asked.push(joined)
        inner.leave()
      },
    })
    origin.arrive()
    origin.finish()
    await readAll(reader)
    expect(asked).toEqual([false])
  })

  it('K11 do not wait for themselves: a call from within gets a flight of its own', async () => {
    const flights = new Flights<string, string>(bounds, clock)
    const inner = new HandDriven()
    const answers: string[] = []
    const outer: Origin<string, string> = {
      async start() {
        const { reader, joined } = open(inner, flights)
        answers.push(`joined: ${joined}`, await reader.head(), ...(await readAll(reader)))
        return { head: 'outer head', items: empty(), shareable: true }
      },
      size: () => 0,
    }
    const { reader } = flights.join('name', outer, { signal: undefined, alone: false, ended: () => undefined })
    const joiner = open(new HandDriven(), flights)
    inner.arrive()
    inner.give('inner item')
    inner.finish()
    expect([await reader.head(), await joiner.reader.head()]).toEqual(['outer head', 'outer head'])
    expect(joiner.joined).toBe(true)
    expect(answers).toEqual(['joined: false', 'head', 'inner item'])
    await Promise.all([readAll(reader), readAll(joiner.reader)])
    expect(flights.size).toBe(0)
  })

  it('K11 of two caches do not take one another for themselves, though their names are equal', async () => {
    const near = new Flights<string, string>(bounds, clock)
    const far = new Flights<string, string>(bounds, clock)
    const upstream = new HandDriven()
    const other = open(upstream, far)
    const joined: boolean[] = []
    const through: Origin<string, string> = {
      async start() {
        const inner = open(upstream, far)
        joined.push(inner.joined)
        inner.reader.leave()
        throw new Error('enough')
      },
      size: () => 0,
    }
    await reasonOf(near.join('name', through, { signal: undefined, alone: false, ended: () => undefined }).reader.head())
    expect(joined).toEqual([true])
    other.reader.leave()
  })
})
