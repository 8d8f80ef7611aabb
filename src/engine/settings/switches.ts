/**
 * Switches of a whole cache, which may be functions: they are asked for each call, so that they work without a new deployment.
 * @module
 */
import type { CacheMode } from '../../call.ts'
import { InvalidOptionError } from '../../errors.ts'
import { calledOption, OptionFault } from './option-fault.ts'
import { isRecordingMode, type RecordingMode, recordingModes, type Recordings } from '../../key/recordings.ts'
import { cacheModes, isCacheMode } from './call-options.ts'

/**
 * How all calls of a cache use it that name no mode of their own. In `shadow`, each call goes to the provider. The cache counts which calls it
 * could have answered, and compares its answers with the new ones. `record`, `replay` and `auto` are for a `cassetteStore` of `llmemo/testing`:
 * they hold for all calls.
 */
export type CacheWideMode = CacheMode | 'shadow' | RecordingMode

/** What a hit shows as its usage. */
export type ShownUsage = 'keep' | 'zero' | 'mark'

/** Switches of a cache. */
export interface SwitchOptions {
  /**
   * Whether the cache is used at all. Without it, every call goes past the cache. A function is asked for each call; while it throws or gives
   * anything else than `true`, the cache is not used. @default true
   */
  readonly enabled?: boolean | (() => boolean)
  /**
   * How calls use the cache that name no mode of their own. A function is asked for each call; while it throws or gives no mode, calls go past
   * the cache. Over a `cassetteStore`, the environment variable `LLMEMO_MODE` goes before it. @default 'default'
   */
  readonly mode?: CacheWideMode | (() => CacheWideMode)
  /**
   * What a hit shows as its usage, for tools that watch the client and take it for tokens that were spent: `keep` it, `zero` all its numbers,
   * or `mark` it by the member `cached_by: 'llmemo'`. A call that joined another one gets the answer as it came. @default 'keep'
   */
  readonly usage?: ShownUsage
}

/** What the switches say of a call: its mode, or why it goes past the cache. */
export type Switched = SwitchedOn | { readonly reason: 'disabled' } | { readonly reason: 'fault'; readonly fault: OptionFault }

/** How calls use the cache. */
export interface SwitchedOn {
  readonly mode: CacheMode | 'shadow'
  /** How recordings are used. With it, `mode` holds for calls with a mode of their own too. @default there are none */
  readonly recording?: RecordingMode
}

/** What the switches say now. `undefined` if the cache has none, so that all calls may be taken alike. */
export type Switches = (() => Switched) | undefined

/** The names of the switches. */
export const switchNames = ['enabled', 'mode', 'usage']

const on: Switched = { mode: 'default' }

/**
 * The switches, checked.
 * @param recordings what the cache's store offers as one of recordings
 * @throws {InvalidOptionError} that names the first value which cannot be
 */
export function readSwitches(given: SwitchOptions, recordings?: Recordings): Switches {
  const { enabled = true, mode = recordings === undefined ? 'default' : 'auto' } = given
  if (typeof enabled !== 'boolean' && typeof enabled !== 'function') {
    throw new InvalidOptionError('enabled', enabled, 'true, false, or a function that gives one of them')
  }
  if (typeof mode !== 'function') assertMode(mode, recordings !== undefined)
  if (recordings !== undefined) return overRecordings({ enabled, mode }, recordings.wantedMode())
  if (enabled === true && mode === 'default') return undefined
  return () => {
    const isOn = calledOption('enabled', enabled)
    if (isOn instanceof OptionFault) return { reason: 'fault', fault: isOn }
    if (isOn === false) return { reason: 'disabled' }
    if (isOn !== true) return { reason: 'fault', fault: new OptionFault('enabled', { given: isOn }, 'true or false') }
    const wanted = calledOption('mode', mode)
    if (wanted instanceof OptionFault) return { reason: 'fault', fault: wanted }
    if (wanted === 'default') return on
    return isOwnMode(wanted)
      ? { mode: wanted }
      : { reason: 'fault', fault: new OptionFault('mode', { given: wanted }, [...cacheModes, 'shadow']) }
  }
}

/** What a hit shows as its usage, checked. @throws {InvalidOptionError} for anything else */
export function readUsage(given: unknown = 'keep'): ShownUsage {
  if (given === 'keep' || given === 'zero' || given === 'mark') return given
  throw new InvalidOptionError('usage', given, ['keep', 'zero', 'mark'])
}

const replaying: Switched = { mode: 'only-if-cached', recording: 'replay' }

/** The switches of a cache over recordings. A test must not reach the network by a mistake, so a function that fails means `replay`. */
function overRecordings(
  { enabled, mode }: Required<Pick<SwitchOptions, 'enabled' | 'mode'>>,
  override: RecordingMode | undefined,
): Switches {
  return () => {
    try {
      const wanted: unknown = override ?? (typeof mode === 'function' ? mode() : mode)
      if (wanted === 'replay') return replaying
      const isOn: unknown = typeof enabled === 'function' ? enabled() : enabled
      if (isOn !== true) return { reason: 'disabled' }
      if (wanted === 'record' || wanted === 'auto' || wanted === 'default') {
        return { mode: 'default', recording: wanted === 'record' ? 'record' : 'auto' }
      }
      return isOwnMode(wanted) ? { mode: wanted } : replaying
    } catch {
      return replaying
    }
  }
}

function assertMode(mode: unknown, hasRecordings: boolean): void {
  if (isRecordingMode(mode) && !hasRecordings) {
    const needed = "such a mode only along with store: cassetteStore(folder), by import { cassetteStore } from 'llmemo/testing'"
    throw new InvalidOptionError('mode', mode, needed)
  }
  if (isOwnMode(mode) || isRecordingMode(mode)) return
  throw new InvalidOptionError('mode', mode, [...cacheModes, 'shadow', ...(hasRecordings ? recordingModes : [])])
}

function isOwnMode(value: unknown): value is CacheMode | 'shadow' {
  return value === 'shadow' || isCacheMode(value)
}
