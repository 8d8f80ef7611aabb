/**
 * Instruments over the counters of a cache. They are read when metrics are collected; only calls to the provider and reads of the store are
 * recorded as they happen, as recording takes a tenth of the time of a hit.
 * @module
 */
import type { BatchObservableResult, Meter, Observable } from '@opentelemetry/api'
import type { Cache, CacheStats } from '../cache/cache.ts'
import { attributeNames, metricNames, operationName, providerName } from './otel-names.ts'

/** Records what a cache tells. @returns a function that ends it */
export function meterCache(cache: Cache, meter: Meter): () => void {
  const inference = meter.createHistogram(metricNames.inferenceDuration, { unit: 's', description: 'Time of calls to the provider.' })
  const reads = meter.createHistogram(metricNames.readDuration, { unit: 's', description: 'Time of reads of the shared store.' })
  const ends = [
    cache.on('landing', ({ endpoint, provider, model, answered, end, milliseconds }) =>
      inference.record(milliseconds / 1_000, {
        [attributeNames.operation]: operationName(endpoint),
        [attributeNames.provider]: providerName(provider),
        [attributeNames.requestModel]: model,
        [attributeNames.responseModel]: answered,
        ...(end === 'failed' && { [attributeNames.errorType]: '_OTHER' }),
      }),
    ),
    cache.on('read', ({ source, milliseconds }) => {
      if (source !== 'memory') reads.record(milliseconds / 1_000, { [attributeNames.source]: source })
    }),
  ]
  const counters = observableCounters(meter)
  const memory = meter.createObservableGauge(metricNames.memory, { unit: 'By', description: 'Bytes in hot memory.' })
  const entries = meter.createObservableGauge(metricNames.entries, { unit: '{entry}', description: 'Entries in hot memory.' })
  const observe = (result: BatchObservableResult): void => {
    const stats = cache.stats()
    for (const { counter, read } of counters) read(stats, (value, attributes) => result.observe(counter, value, attributes))
    const held = cache.memory()
    result.observe(memory, held.bytes)
    result.observe(entries, held.entries)
  }
  const observed: Observable[] = [...counters.map(({ counter }) => counter), memory, entries]
  meter.addBatchObservableCallback(observe, observed)
  return () => {
    for (const end of ends) end()
    meter.removeBatchObservableCallback(observe, observed)
  }
}

type Observe = (value: number, attributes?: Readonly<Record<string, string>>) => void

/** A counter, and how its values are read. */
interface ReadCounter {
  readonly counter: Observable
  readonly read: (stats: CacheStats, observe: Observe) => void
}

function observableCounters(meter: Meter): ReadCounter[] {
  const counted = (name: string, unit: string, read: ReadCounter['read']): ReadCounter => ({
    counter: meter.createObservableCounter(name, { unit }),
    read,
  })
  return [
    counted(metricNames.hits, '{call}', byOperation('hits')),
    counted(metricNames.misses, '{call}', byOperation('misses')),
    counted(metricNames.savedTokens, '{token}', byOperation('savedTokens')),
    counted(metricNames.savedCost, 'USD', byOperation('savedUsd')),
    counted(metricNames.bypasses, '{call}', byName('bypassReasons', attributeNames.reason)),
    counted(metricNames.skipped, '{answer}', byName('skipped', attributeNames.reason)),
    counted(metricNames.errors, '{fault}', byName('errorKinds', attributeNames.errorType)),
    counted(metricNames.stored, '{answer}', (stats, observe) => observe(stats.stored)),
    counted(metricNames.evictions, '{answer}', (stats, observe) => observe(stats.evictions)),
    counted(metricNames.droppedWrites, '{write}', (stats, observe) => observe(stats.droppedWrites)),
    counted(metricNames.invalidations, '{invalidation}', (stats, observe) => observe(stats.invalidations)),
  ]
}

function byOperation(column: 'hits' | 'misses' | 'savedTokens' | 'savedUsd'): ReadCounter['read'] {
  return (stats, observe) => {
    for (const [operation, row] of Object.entries(stats.byOperation)) observe(row[column], { [attributeNames.cacheOperation]: operation })
  }
}

function byName(table: 'bypassReasons' | 'skipped' | 'errorKinds', attribute: string): ReadCounter['read'] {
  return (stats, observe) => {
    for (const [name, number] of Object.entries(stats[table])) observe(number, { [attribute]: name })
  }
}
