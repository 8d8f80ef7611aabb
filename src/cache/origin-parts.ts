/**
 * The parts of a streamed answer on their way to a caller: from the origin, from a flight, or from the cache.
 * @module
 */
import type { ServerEvent } from '../base/server-sent-events.ts'
import { InvalidOptionError } from '../errors.ts'
import { leaveWhenCollected } from '../engine/flight/collected.ts'
import type { FlightReader } from '../engine/flight/upstream.ts'
import type { ReplayOptions } from '../engine/settings/options.ts'
import { fromStoredText } from './origin-endpoint.ts'

/** A part as the origin gave it, and its text, if it can be stored. */
export interface GivenPart {
  readonly part: unknown
  readonly text: string | undefined
}

type Parts = AsyncIterableIterator<unknown, undefined>

/**
 * The parts that an origin gives.
 * @throws {InvalidOptionError} if it gives none
 */
export async function* ownParts(given: unknown): Parts {
  if (!isIterable(given)) throw new InvalidOptionError('origin', undefined, 'a function that returns an async iterable, as stream is true')
  yield* given
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/**
 * One caller's share of a flight.
 * @param isOwn whether the flight is the caller's own, so that it gets the origin's own objects. Others get copies.
 */
export function sharedParts<Head>(reader: FlightReader<Head, GivenPart>, isOwn: boolean): Parts {
  const parts = left(
    async () => {
      const item = await reader.next().catch((error: unknown) => {
        leaving.end()
        throw error
      })
      if (item === undefined) leaving.end()
      return item && { part: isOwn || item.text === undefined ? item.part : fromStoredText(item.text) }
    },
    () => {
      leaving.end()
      reader.leave()
    },
  )
  const leaving = leaveWhenCollected(parts, reader)
  return parts
}

/** The parts of a stored answer. */
export function replayedParts(events: readonly ServerEvent[], { delay }: ReplayOptions, signal: AbortSignal | undefined): Parts {
  let index = 0
  return left(
    async () => {
      const event = events[index]
      if (event === undefined) return undefined
      if (delay !== undefined) await delay(index)
      signal?.throwIfAborted()
      index++
      return { part: fromStoredText(event.data) }
    },
    () => (index = events.length),
  )
}

/** An iterator that can be left before anything was read, which an async generator does not notice. */
function left(next: () => Promise<{ readonly part: unknown } | undefined>, leave: () => void): Parts {
  let isOver = false
  const end = (): IteratorReturnResult<undefined> => {
    isOver = true
    return { done: true, value: undefined }
  }
  return {
    async next() {
      if (isOver) return end()
      const found = await next()
      return found === undefined ? end() : { done: false, value: found.part }
    },
    async return() {
      leave()
      return end()
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
