/**
 * The options of a `cachingFetch`, and which options hold for a call of it.
 * @module
 */
import { assertKnown } from '../../base/option-checks.ts'
import type { CallOptions } from '../../call.ts'
import { InvalidOptionError } from '../../errors.ts'
import { assertCallOptions, layered } from '../../engine/settings/call-options.ts'
import type { Settings } from '../../engine/settings/options.ts'
import type { Switched } from '../../engine/settings/switches.ts'
import { hasOwn, headerOptions } from './header-options.ts'

/** The names of {@link HeaderUse}. */
const headerUses = ['fill', 'override', 'ignore'] as const

/**
 * What the headers `x-llmemo-*` of a request may do.
 * - `fill`: give options that are not given otherwise.
 * - `override`: give any option. Code that can set a header of a request then chooses its scope.
 * - `ignore`: nothing.
 *
 * In any case they are not sent to the provider.
 */
export type HeaderUse = (typeof headerUses)[number]

/** The options of {@link cachingFetch}: those of its calls, unless a call has its own. */
export interface CachingFetchOptions extends CallOptions {
  /** What the headers `x-llmemo-ttl`, `-operation`, `-tags`, `-scope`, `-variant`, `-mode` and `-context` of a request may do. @default 'fill' */
  readonly headers?: HeaderUse
}

/** The same, checked. */
export interface FetchDefaults {
  readonly options: CallOptions
  readonly headers: HeaderUse
}

/** What holds for the calls of a wrapped client, which has no such options. */
export const noDefaults: FetchDefaults = { options: {}, headers: 'fill' }

/**
 * The options, checked.
 * @throws {InvalidOptionError} for an unknown option or a value that cannot be
 */
export function readFetchOptions(given: CachingFetchOptions): FetchDefaults {
  assertKnown('', given, ['headers', 'mode', 'ttl', 'operation', 'context', 'tags', 'scope', 'variant'])
  const { headers = 'fill', ...options } = given
  if (!headerUses.includes(headers)) throw new InvalidOptionError('headers', headers, headerUses)
  assertCallOptions(options, '')
  return { options, headers }
}

/** What decides the options of a call. */
interface OptionSources {
  /** The call's own options. */
  readonly own: CallOptions
  readonly headers: Headers
  readonly defaults: FetchDefaults
}

/** The options that hold for a call. */
interface ChosenOptions {
  readonly options: CallOptions
  /** Whether it has headers that are the cache's own. */
  readonly hasHeaders: boolean
}

/**
 * The options of a call: its own; those that the running code gives to all its calls; the defaults of its `fetch`; those of its headers. With
 * `override`, those of its headers come second.
 * @returns the error of a header that cannot be, instead
 */
export function optionsOfCall({ own, headers, defaults }: OptionSources, settings: Settings): ChosenOptions | InvalidOptionError {
  const { current } = settings.ambient
  const hasHeaders = hasOwn(headers)
  const asked = hasHeaders && defaults.headers !== 'ignore' ? headerOptions(headers) : {}
  if (asked instanceof InvalidOptionError) return asked
  if (!hasHeaders && current === undefined && defaults === noDefaults) return { options: own, hasHeaders }
  const below = layered(current ?? {}, defaults.options)
  const others = defaults.headers === 'override' ? layered(asked, below) : layered(below, filling(asked, settings))
  return { options: layered(own, others), hasHeaders }
}

/** Options of headers where none are given otherwise. Whose answers these are, and how they are used, is the cache's to say if it says it. */
function filling(asked: CallOptions, { scope, scopeOfCall, switches }: Settings): CallOptions {
  const { scope: askedScope, mode: askedMode, ...others } = asked
  const isScopeFixed = scope !== undefined || scopeOfCall !== undefined
  const isModeFixed = askedMode !== undefined && switches !== undefined && !isDefault(switches())
  return {
    ...others,
    ...(!isScopeFixed && askedScope !== undefined && { scope: askedScope }),
    ...(!isModeFixed && askedMode !== undefined && { mode: askedMode }),
  }
}

function isDefault(switched: Switched): boolean {
  return 'mode' in switched && switched.mode === 'default'
}
