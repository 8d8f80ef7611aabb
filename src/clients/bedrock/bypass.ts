/**
 * A call that bypasses the cache by its own options: the given client makes it, as if it were not wrapped.
 * @module
 */
import type { Bypass } from '../../engine/cached-call.ts'
import type { Engine } from '../../engine/engine.ts'
import { areCallsAlike } from '../../engine/settings/alike.ts'
import { validCallOptions } from '../call-options.ts'
import type { CachedCommand } from './commands.ts'
import type { UncheckedOptions } from './fast-lane.ts'

/** The facts of a call whose options say that it bypasses the cache; `undefined` for any other call, and if an event is to tell more. */
export function bypassOf({ events, settings }: Engine, { codec }: CachedCommand, given: UncheckedOptions): Bypass | undefined {
  if (!areCallsAlike(settings) || events.isHeard('bypass')) return undefined
  const options = validCallOptions(given.cache, given.bypassCache)
  if (options?.mode !== 'no-store') return undefined
  return {
    operation: options.operation ?? codec.operation,
    scope: options.scope ?? settings.scope ?? '',
    reason: 'no-store',
  }
}
