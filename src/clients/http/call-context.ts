/**
 * A call of an SDK's method as it was read: its body, and what else decides it.
 * @module
 */
import type { JsonObject } from '../../json/object.ts'
import { Reading } from '../../json/reading.ts'

/** What decides a call besides its body. */
export interface CallContext {
  /** Tells a client with its facts from all others. */
  readonly generation: number
  readonly method: string
  /** Its options as text. */
  readonly options: string
}

/** A body, read. */
export interface ReadBody {
  readonly body: JsonObject
  /** Body, options, method, and the client as it is now. */
  readonly reading: Reading
}

/** A call that a lane could answer. */
export interface ReadCall extends ReadBody {
  readonly options: JsonObject | undefined
  readonly context: CallContext
}

/** Reads a call; `undefined` for one whose body may say more than can be read, or would call code of the caller's. */
export function readBody(body: unknown, { generation, method, options }: CallContext): ReadBody | undefined {
  const reading = new Reading()
  if (!reading.addRecord(body)) return undefined
  reading.addScalar(generation)
  reading.addScalar(method)
  reading.addScalar(options)
  return { body, reading }
}
