/**
 * A cache over recordings for tests: what holds in place of options that were not given, and which calls it refuses.
 * @module
 */
import { Description, InvalidOptionError } from '../../errors.ts'
import type { Recordings } from '../../key/recordings.ts'
import { NotCachedError } from '../../not-cached.ts'
import type { StorePolicy } from './policy.ts'
import type { Switches } from './switches.ts'

/** The options for which recordings have rules of their own. */
interface RecordedOptions {
  readonly scope?: unknown
  readonly requireScope?: boolean
  readonly encryption?: unknown
  readonly policy?: StorePolicy
}

const everything: StorePolicy = () => true

/**
 * The options of a cache over recordings. The credential makes no scope, as another person may replay. All complete answers are recorded: one
 * that ends early or is empty is what its test is about.
 * @throws {InvalidOptionError} if there is encryption, as recordings are there to be read
 */
export function forRecordings<Given extends RecordedOptions>(given: Given, recordings: Recordings | undefined): Given {
  if (recordings === undefined) return given
  if (given.encryption !== undefined) {
    throw new InvalidOptionError(
      'encryption',
      new Description('given along with a cassetteStore'),
      'no encryption, as cassettes are readable',
    )
  }
  const scope = given.requireScope === true ? {} : { scope: '' }
  return { policy: everything, ...scope, ...withoutUndefined(given) }
}

function withoutUndefined<Given extends object>(given: Given): Given {
  const copy = { ...given }
  for (const [name, value] of Object.entries(copy)) if (value === undefined) Reflect.deleteProperty(copy, name)
  return copy
}

/**
 * The error for a call that would go past the recordings to the provider, in a cache that only replays; `undefined` in any other cache.
 * @param why why the call cannot be replayed
 */
export function refusedCall(
  { recordings, switches }: { readonly recordings: Recordings | undefined; readonly switches: Switches },
  why: string,
): NotCachedError | undefined {
  const switched = recordings === undefined ? undefined : switches?.()
  if (switched === undefined || 'reason' in switched || switched.recording !== 'replay') return undefined
  const message = `llmemo: mode "replay" calls no provider, and this call cannot be replayed: ${why}.`
  return new NotCachedError({ reason: 'not stored', key: '', scope: '', message })
}
