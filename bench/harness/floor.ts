/**
 * The least that any hit costs: one SHA-256 of the request's JSON, one look-up in a `Map`, one parse of the answer's JSON.
 * @module
 */
import { hash } from 'node:crypto'
import type { Contender } from './measure.ts'

/** The name of the floor in every table. */
export const floorName = 'floor'

/** The floor for a request that `ask` makes for each call. */
export function floor(ask: () => unknown, answer: string): Contender {
  const kept = new Map([[hash('sha256', JSON.stringify(ask())), answer]])
  return {
    name: floorName,
    run() {
      const found = kept.get(hash('sha256', JSON.stringify(ask())))
      if (found === undefined) throw new Error('the floor has no answer')
      const parsed: unknown = JSON.parse(found)
      return parsed
    },
  }
}
