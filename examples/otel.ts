/**
 * Metrics and spans of a cache for OpenTelemetry. A program that already has OpenTelemetry needs the call of `instrumentCache` only.
 * @module
 */
import { context, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { TracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace'
import OpenAI from 'openai'
import { createCache, withCache } from 'llmemo'
import { instrumentCache } from 'llmemo/otel'
import { openProvider } from './provider.ts'
import { strong } from './report.ts'

// What a program sets up once. These exporters only keep what they are given, for the example to print it.
const spans = new InMemorySpanExporter()
const values = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const reader = new PeriodicExportingMetricReader({ exporter: values, exportIntervalMillis: 60_000 })
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }))
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))

const provider = await openProvider()
console.log(provider.description)
const cache = createCache()
const end = instrumentCache(cache, { meter: metrics.getMeter('licences'), tracer: trace.getTracer('licences'), spans: 'all' })
const openai = withCache(new OpenAI(provider.options), cache)

for (const request of ['GET /first', 'GET /second']) {
  await trace.getTracer('licences').startActiveSpan(request, async (span) => {
    const messages = [{ role: 'user' as const, content: 'Must I keep the copyright notice in all copies?' }]
    await openai.chat.completions.create({ model: 'gpt-5-mini', messages }, { cache: { operation: 'qa' } })
    span.end()
  })
}
await reader.forceFlush()

console.log(strong('\nSpans'))
const finished = spans.getFinishedSpans()
for (const { name, attributes, parentSpanContext } of finished) {
  const parent = finished.find((span) => span.spanContext().spanId === parentSpanContext?.spanId)
  if (parent === undefined) continue
  const told = ['llm_cache.hit', 'gen_ai.usage.output_tokens', 'llm_cache.saved_tokens'].filter((attribute) => attribute in attributes)
  console.log(`  ${parent.name} > ${name}: ${told.map((attribute) => `${attribute}=${String(attributes[attribute])}`).join(' ')}`)
}

console.log(strong('\nMetrics'))
for (const { descriptor, dataPoints } of values
  .getMetrics()
  .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))) {
  for (const { value } of dataPoints)
    if (typeof value === 'number') console.log(`  ${descriptor.name.padEnd(28)} ${value} ${descriptor.unit}`)
}

end()
await cache.close()
await provider.close()
await reader.shutdown()
