/**
 * What a hit costs more with a monitor, and with OpenTelemetry: the same client over a cache that is watched, and over one that is not.
 * @module
 */
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { type Cache, createCache } from '../../dist/index.mjs'
import { createMonitor } from '../../dist/monitor.mjs'
import { instrumentCache } from '../../dist/otel.mjs'
import { comparedBySize, sweep, sweepFigures, sweepTable } from '../harness/by-size.ts'
import { cpuTime } from '../harness/clock.ts'
import { question } from '../harness/payload.ts'
import type { Budget, Row } from '../harness/report.ts'
import { sdkClients } from '../harness/sdk-clients.ts'

const plain = 'llmemo'
const monitored = 'with monitor'
const metered = 'with OTel metrics'
const instrumented = 'with OTel'
const spanned = "with OTel, spans: 'all'"
const bare = "OpenTelemetry's own span beside it"

/** The sizes that are measured. */
const sizes = [2_000, 20_000]

/** A hit with observers, beside one without. */
export const observers: Row = {
  name: 'observers',
  title: 'Hit in memory, watched',
  async run(given) {
    // Of a difference so small, the time that passes tells more of the machine's other work.
    const run = { ...given, effort: { ...given.effort, timer: cpuTime }, careful: { ...given.careful, rounds: 61, timer: cpuTime } }
    const timings = await sweep(
      run,
      async (size) => {
        const one = question(size)
        const closers: (() => Promise<void> | void)[] = []
        const contenders = []
        for (const [name, watch] of Object.entries(watchers)) {
          const cache = createCache()
          closers.push(watch(cache), () => cache.close())
          const [openai] = sdkClients
          if (openai === undefined) throw new Error('there is no client')
          const client = openai.cached(openai.answer(size).whole, 'nothing', cache)
          await client.ask(one)
          if ((await client.source(one)) !== 'memory') throw new Error(`${name} did not hit`)
          contenders.push({ name, run: () => client.ask(one) })
        }
        return {
          contenders,
          async close() {
            for (const close of closers) await close()
          },
        }
      },
      sizes,
    )
    const what = 'hit in memory, watched'
    const limits = (most: number): Record<number, number> => Object.fromEntries(sizes.map((size) => [size, most]))
    const against = (name: string, most: number): Budget[] =>
      comparedBySize({ what: `${what} ${name}`, timings, name, base: plain, baseName: 'unwatched', limits: limits(most) })
    return {
      tables: [{ caption: "OpenAI's client. × is beside a cache that nothing watches.", table: sweepTable(timings, plain) }],
      notes: [
        `${instrumented}: metrics, and spans of calls to the provider, as instrumentCache does unless it is told otherwise.`,
        `${bare}: a hit, and a span with as many attributes by the SDK of OpenTelemetry alone. It is what a span for each hit cannot cost less than.`,
      ],
      budgets: [
        ...against(monitored, 1.03),
        ...against(metered, 1.1),
        ...against(instrumented, 1.1),
        // Shown without a limit: nearly all of it is the work of OpenTelemetry's own SDK, which differs by its processors.
        ...[spanned, bare].flatMap((name) => against(name, Number.NaN).map((budget) => ({ ...budget, limit: undefined }))),
      ],
      figures: sweepFigures(timings, plain),
    }
  },
}

/** What watches a cache. Each gives the function that ends it. */
const watchers: Readonly<Record<string, (cache: Cache) => () => Promise<void> | void>> = {
  [plain]: () => () => undefined,
  [monitored]: (cache) => {
    const monitor = createMonitor(cache)
    return () => monitor.close()
  },
  [metered]: (cache) => {
    const { meter, close } = metering()
    const end = instrumentCache(cache, { meter })
    return async () => {
      end()
      await close()
    }
  },
  [instrumented]: (cache) => {
    const { meter, close } = metering()
    const { tracer, shutdown } = tracing()
    const end = instrumentCache(cache, { meter, tracer })
    return async () => {
      end()
      await Promise.all([close(), shutdown()])
    }
  },
  [spanned]: (cache) => {
    const { meter, close } = metering()
    const { tracer, shutdown } = tracing()
    const end = instrumentCache(cache, { meter, tracer, spans: 'all' })
    return async () => {
      end()
      await Promise.all([close(), shutdown()])
    }
  },
  [bare]: (cache) => {
    const { tracer, shutdown } = tracing()
    const attributes = Object.fromEntries(Array.from({ length: 13 }, (_, index) => [`attribute.${index}`, `value ${index}`]))
    const end = cache.on('hit', () => tracer.startSpan('chat', { kind: 0, attributes }).end())
    return async () => {
      end()
      await shutdown()
    }
  },
}

function tracing() {
  // What was exported is dropped at once: a run makes a million spans.
  const exporter = { export: (_: unknown, done: (result: { code: number }) => void) => done({ code: 0 }), shutdown: async () => undefined }
  const provider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter })] })
  return { tracer: provider.getTracer('bench'), shutdown: () => provider.shutdown() }
}

function metering() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 })] })
  return { meter: provider.getMeter('bench'), close: () => provider.shutdown() }
}
