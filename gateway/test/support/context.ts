import { type Cache, createCache, systemClock } from 'llmemo'
import { type GatewayData, silentLog } from 'llmemo-gateway'
import { createMonitor } from 'llmemo/monitor'
import { onTestFinished } from 'vitest'
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
  return { cache, monitor, options: readSettings(data), log: silentLog, clock: systemClock, closing: closing.signal }
}
