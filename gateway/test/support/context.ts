import { type Cache, createCache, systemClock } from 'llmemo'
import { type GatewayData, silentLog } from 'llmemo-gateway'
import { createMonitor } from 'llmemo/monitor'
import { onTestFinished } from 'vitest'
import { Refusals } from '../../src/access/refusals.ts'
import { readSettings } from '../../src/config/settings.ts'
import type { GatewayContext } from '../../src/context.ts'

/** A context for the test of one room, which closes with the test. */
export function contextOf(data: GatewayData = {}, cache: Cache = createCache()): GatewayContext {
  const closing = new AbortController()
  const monitor = createMonitor(cache)
  onTestFinished(() => {
    closing.abort()
    monitor.close()
  })
  return {
    cache,
    monitor,
    options: readSettings(data),
    log: silentLog,
    refusals: new Refusals(),
    clock: systemClock,
    closing: closing.signal,
  }
}
