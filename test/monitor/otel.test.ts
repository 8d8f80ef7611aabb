import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { TracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../../src/errors.ts'
import { instrumentCache } from '../../src/monitor/otel.ts'
import { openCache, settle } from '../support/chat.ts'
import { askThrough, StubProvider } from '../support/provider-stub.ts'
import { ScriptedStore } from '../support/scripted-store.ts'
import { runWorkload, workloadPrices, workloadTtl, workloadUsd } from '../support/workload.ts'

const manager = new AsyncLocalStorageContextManager().enable()
beforeAll(() => void context.setGlobalContextManager(manager))
afterAll(() => context.disable())

function tracing() {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  return { exporter, tracer: provider.getTracer('test') }
}

function metering() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new MeterProvider({ readers: [reader] })
  /** The newest values of a metric by one attribute. */
  const read = async (name: string, attribute = ''): Promise<Record<string, unknown>> => {
    exporter.reset()
    await reader.forceFlush()
    const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
    const points = metrics.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? []
    return Object.fromEntries(
      points.map(({ attributes, value }) => [typeof attributes[attribute] === 'string' ? attributes[attribute] : '', value]),
    )
  }
  return { meter: provider.getMeter('test'), read, close: () => provider.shutdown() }
}

describe('spans', () => {
  it('of a call to the provider and of a hit are children of their callers', async () => {
    const { exporter, tracer } = tracing()
    const { cache, clock } = openCache()
    const provider = new StubProvider()
    instrumentCache(cache, { tracer, spans: 'all' })
    for (const caller of ['first', 'second']) {
      await tracer.startActiveSpan(caller, async (span) => {
        await askThrough(cache, provider, 'What is the secret?', { operation: 'greet', scope: 'tenant-1' })
        clock.advance(5_000)
        span.end()
      })
    }
    const [miss, first, hit, second] = exporter.getFinishedSpans()
    expect([miss?.name, first?.name, hit?.name, second?.name]).toEqual(['chat gpt-5-mini', 'first', 'chat gpt-5-mini', 'second'])
    expect(miss?.parentSpanContext?.spanId).toBe(first?.spanContext().spanId)
    expect(hit?.parentSpanContext?.spanId).toBe(second?.spanContext().spanId)
    expect([miss?.kind, hit?.kind]).toEqual([SpanKind.CLIENT, SpanKind.INTERNAL])
    const common = {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-5-mini',
      'gen_ai.request.stream': false,
      'gen_ai.response.model': 'gpt-5-mini-2025-08-07',
      'llm_cache.operation': 'greet',
      'llm_cache.key': expect.stringMatching(/^[0-9a-f]{64}$/),
    }
    expect(miss?.attributes).toEqual({
      ...common,
      'llm_cache.hit': false,
      'gen_ai.usage.input_tokens': 9,
      'gen_ai.usage.output_tokens': 12,
    })
    expect(hit?.attributes).toEqual({
      ...common,
      'llm_cache.hit': true,
      'llm_cache.source': 'memory',
      'llm_cache.stale': false,
      'llm_cache.age': 5,
      'llm_cache.saved_tokens': 21,
      'llm_cache.saved_ms': 0,
    })
    const all = JSON.stringify(exporter.getFinishedSpans().map(({ attributes, name, status }) => ({ attributes, name, status })))
    // I7, and a scope may name a customer.
    expect(all).not.toMatch(/secret|sk-test|tenant/)
  })

  it('of hits are made only if they are asked for', async () => {
    const { exporter, tracer } = tracing()
    const { cache } = openCache()
    const provider = new StubProvider()
    instrumentCache(cache, { tracer })
    for (let time = 0; time < 3; time++) await askThrough(cache, provider)
    expect(exporter.getFinishedSpans().map(({ attributes }) => attributes['llm_cache.hit'])).toEqual([false])
    expect(cache.stats().hits).toBe(2)
  })

  it('of calls that fail have the status of an error, and all of them end', async () => {
    const { exporter, tracer } = tracing()
    const { cache } = openCache()
    const provider = new StubProvider()
    const end = instrumentCache(cache, { tracer })
    provider.condition = 500
    await askThrough(cache, provider, 'a')
    provider.condition = 'unreachable'
    await askThrough(cache, provider, 'b')
    expect(exporter.getFinishedSpans().map(({ status, attributes }) => [status.code, attributes['error.type']])).toEqual([
      [SpanStatusCode.ERROR, '_OTHER'],
      [SpanStatusCode.ERROR, '_OTHER'],
    ])
    provider.condition = 'slow'
    const asking = askThrough(cache, provider, 'c')
    await settle()
    end()
    expect(exporter.getFinishedSpans()).toHaveLength(3)
    provider.release()
    await asking
    await askThrough(cache, provider, 'c')
    expect(exporter.getFinishedSpans()).toHaveLength(3)
  })

  it('are one for all calls that share a flight', async () => {
    const { exporter, tracer } = tracing()
    const { cache } = openCache()
    const provider = new StubProvider()
    instrumentCache(cache, { tracer })
    await Promise.all([askThrough(cache, provider), askThrough(cache, provider), askThrough(cache, provider)])
    expect(exporter.getFinishedSpans()).toHaveLength(1)
  })
})

describe('metrics', () => {
  it('are the figures that the provider and the callers count', async () => {
    const { meter, read, close } = metering()
    const store = new ScriptedStore()
    const { cache, clock, errors, told } = openCache({ store, ttl: workloadTtl, stale: '1d', prices: workloadPrices })
    const end = instrumentCache(cache, { meter })
    const expected = await runWorkload({ cache, clock, store, calls: 5_000 })
    const each = (column: 'hits' | 'misses') =>
      Object.fromEntries(Object.entries(expected.byOperation).map(([operation, row]) => [operation, row[column]]))
    expect(await read('llm_cache.hits', 'llm_cache.operation')).toEqual(each('hits'))
    expect(await read('llm_cache.misses', 'llm_cache.operation')).toEqual(each('misses'))
    expect(await read('llm_cache.bypasses', 'llm_cache.reason')).toEqual({ 'no-store': expected.bypasses })
    expect((await read('llm_cache.saved_cost', 'llm_cache.operation'))['chat']).toBeCloseTo(
      (expected.byOperation['chat']?.hits ?? 0) * workloadUsd,
      6,
    )
    const chatHits = (['chat', 'qa'] as const).map((operation) => [operation, (expected.byOperation[operation]?.hits ?? 0) * 21])
    expect(await read('llm_cache.saved_tokens', 'llm_cache.operation')).toMatchObject(Object.fromEntries(chatHits))
    const invalidations = Object.values(expected.invalidations).reduce((sum, each) => sum + each, 0)
    expect(await read('llm_cache.invalidations')).toEqual({ '': invalidations })
    const heard = (event: string): number => told.events.filter(({ name }) => name === event).length
    // All that the provider answered is kept, as nothing is invalidated while it is on its way.
    expect(await read('llm_cache.stored')).toEqual({ '': expected.all.misses })
    expect(await read('llm_cache.skipped', 'llm_cache.reason')).toEqual({})
    expect(heard('skip')).toBe(0)
    expect(await read('llm_cache.evictions')).toEqual({ '': 0 })
    // The store fails for a while: what it refused was told as events, one by one.
    const faults = Object.fromEntries(['read', 'write'].map((kind) => [kind, errors().filter((each) => each === kind).length]))
    expect(await read('llm_cache.errors', 'error.type')).toEqual(faults)
    expect(await read('llm_cache.dropped_writes')).toEqual({ '': heard('drop') })
    expect(heard('drop')).toBeGreaterThan(0)
    expect(Math.min(...Object.values(faults))).toBeGreaterThan(0)
    expect(await read('llm_cache.memory.usage')).toEqual({ '': cache.memory().bytes })
    expect(await read('llm_cache.memory.entries')).toEqual({ '': cache.memory().entries })
    const durations = Object.values(await read('gen_ai.client.inference.duration', 'gen_ai.request.model'))
    const count = durations.reduce<number>((sum, each) => sum + Number(Reflect.get(Object(each), 'count')), 0)
    expect(count).toBe(expected.requests - expected.bypasses)
    expect(Object.keys(await read('llm_cache.read.duration', 'llm_cache.source'))).toEqual(['scripted'])
    end()
    await askThrough(cache, new StubProvider(), 'one more', { operation: 'chat' })
    expect(await read('llm_cache.misses', 'llm_cache.operation')).toEqual(each('misses'))
    await close()
  })
})

describe('answers that are not kept', () => {
  it('are counted by the reason', async () => {
    const { meter, read, close } = metering()
    const { cache } = openCache()
    const provider = new StubProvider()
    instrumentCache(cache, { meter })
    for (const prompt of ['a', 'b']) {
      provider.condition = 'slow'
      const asking = askThrough(cache, provider, prompt, { tags: ['changing'] })
      await settle()
      await cache.invalidate({ tags: ['changing'] })
      provider.release()
      await asking
    }
    provider.condition = 'well'
    await askThrough(cache, provider, 'c')
    expect(await read('llm_cache.skipped', 'llm_cache.reason')).toEqual({ invalidated: 2 })
    expect(await read('llm_cache.stored')).toEqual({ '': 1 })
    await close()
  })
})

describe('the options', () => {
  it.each([[{}], [{ meter: {} }], [{ tracer: trace }], [{ tracers: 1 }], [{ tracer: trace.getTracer('test'), spans: 'hits' }], [null]])(
    'are checked: %j',
    (options) => {
      expect(() => instrumentCache(openCache().cache, Object(options))).toThrow(InvalidOptionError)
    },
  )
})
