/**
 * Resolves the calls of one engine, and tells how long their keys took.
 * @module
 */
import { type Bypass, type Call, type CachedCall, inContext, keyParts, resolveCall } from './cached-call.ts'
import { charactersOf } from './characters.ts'
import type { Engine } from './engine.ts'

/**
 * Resolves a call by the settings of an engine. While anything listens, it tells how long that took, most of which is the key.
 * @throws {InvalidOptionError} for a TTL that is no duration
 */
export function resolveFor(engine: Pick<Engine, 'events' | 'settings' | 'missLog'>, call: Call): CachedCall | Bypass {
  const { missLog, settings } = engine
  const resolved = told(engine, call)
  if (missLog !== undefined && !('reason' in resolved)) {
    missLog.noted(resolved, keyParts(inContext(call, settings), settings, resolved.scope))
  }
  return resolved
}

function told({ events, settings }: Pick<Engine, 'events' | 'settings'>, call: Call): CachedCall | Bypass {
  if (!events.isHeard('key')) return resolveCall(call, settings)
  const { clock } = settings
  const begun = clock.monotonic()
  const resolved = resolveCall(call, settings)
  const milliseconds = clock.monotonic() - begun
  if ('reason' in resolved) return resolved
  const { key, operation } = resolved
  events.emit('key', { key, operation, characters: charactersOf(resolved) ?? 0, milliseconds })
  return resolved
}
