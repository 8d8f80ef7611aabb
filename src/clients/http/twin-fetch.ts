/**
 * The `fetch` of a twin: the given one through the cache, with the members that the given one has.
 * @module
 */
import type { Engine } from '../../engine/engine.ts'
import { type Fetch, fetchThrough } from './caching-fetch.ts'
import { isMethod } from './own-code.ts'
import type { HttpSeam } from './request-credential.ts'
import { withoutOptions } from './sent-init.ts'
import type { ShownField } from './twin.ts'

/** The members that every function has. Ours has its own. */
const ofFunctions = new Set<PropertyKey>(['length', 'name', 'prototype', 'arguments', 'caller'])

/**
 * The field `fetch` of a twin. A caller that sets another `fetch` gets that one through the cache.
 * @param isNeeded whether calls go through the cache here @default always
 */
export function twinFetch(engine: Engine, seam: HttpSeam, isNeeded?: () => boolean): ShownField {
  let given: unknown
  let ours: Fetch | undefined
  return {
    shown(current) {
      if (!isFetch(current)) return current
      if (ours === undefined || current !== given) {
        const caching = fetchThrough(engine, current, seam)
        const chosen: Fetch = (input, init) => (isNeeded?.() === false ? current(input, withoutOptions(init, input)) : caching(input, init))
        ours = withMembers(isNeeded === undefined ? caching : chosen, current)
        given = current
      }
      return ours
    },
  }
}

function isFetch(value: unknown): value is Fetch {
  return isMethod(value)
}

/** `ours` with the members of `given`, also those that it inherits, and those that it is given later. */
export function withMembers(ours: Fetch, given: Fetch): Fetch {
  Object.setPrototypeOf(ours, given)
  for (const name of Reflect.ownKeys(given)) {
    const descriptor = Object.getOwnPropertyDescriptor(given, name)
    if (descriptor !== undefined && !ofFunctions.has(name)) Object.defineProperty(ours, name, { ...descriptor, configurable: true })
  }
  return ours
}
