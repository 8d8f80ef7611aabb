/**
 * Switches of a whole cache, which may be functions: they are asked for each call, so that they work without a new deployment.
 * @module
 */
import type { CacheMode } from '../../call.ts'
import { InvalidOptionError } from '../../errors.ts'
import { cacheModes, isCacheMode } from './call-options.ts'

/**
 * How all calls of a cache use it that name no mode of their own. In `shadow`, each call goes to the provider. The cache counts which calls it
 * could have answered, and compares its answers with the new ones.
 */
export type CacheWideMode = CacheMode | 'shadow'

/** Switches of a cache. */
export interface SwitchOptions {
  /**
   * Whether the cache is used at all. Without it, every call goes past the cache. A function is asked for each call; while it throws or gives
   * anything else than `true`, the cache is not used. @default true
   */
  readonly enabled?: boolean | (() => boolean)
  /**
   * How calls use the cache that name no mode of their own. A function is asked for each call; while it throws or gives no mode, calls go past
   * the cache. @default 'default'
   */
  readonly mode?: CacheWideMode | (() => CacheWideMode)
}

/** What the switches say of a call: its mode, or why it goes past the cache. */
export type Switched = { readonly mode: CacheWideMode } | { readonly reason: 'disabled' | 'fault' }

/** What the switches say now. `undefined` if the cache has none, so that all calls may be taken alike. */
export type Switches = (() => Switched) | undefined

/** The names of the switches. */
export const switchNames = ['enabled', 'mode']

const on: Switched = { mode: 'default' }

/** The switches, checked. @throws {InvalidOptionError} that names the first value which cannot be */
export function readSwitches({ enabled = true, mode = 'default' }: SwitchOptions): Switches {
  if (typeof enabled !== 'boolean' && typeof enabled !== 'function') {
    throw new InvalidOptionError('enabled', enabled, 'true, false, or a function that gives one of them')
  }
  if (typeof mode !== 'function' && !isCacheWideMode(mode)) throw new InvalidOptionError('mode', mode, [...cacheModes, 'shadow'])
  if (enabled === true && mode === 'default') return undefined
  return () => {
    try {
      const isOn: unknown = typeof enabled === 'function' ? enabled() : enabled
      if (isOn !== true) return { reason: isOn === false ? 'disabled' : 'fault' }
      const wanted: unknown = typeof mode === 'function' ? mode() : mode
      if (wanted === 'default') return on
      return isCacheWideMode(wanted) ? { mode: wanted } : { reason: 'fault' }
    } catch {
      return { reason: 'fault' }
    }
  }
}

function isCacheWideMode(value: unknown): value is CacheWideMode {
  return value === 'shadow' || isCacheMode(value)
}
