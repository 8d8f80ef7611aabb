/**
 * The door `llmemo/otel`: metrics and spans of a cache for OpenTelemetry, through a meter and a tracer of the user's own.
 * Nothing of OpenTelemetry is loaded.
 * @module
 */
/* oxlint-disable typescript/consistent-type-imports */
import { assertKnown, withMethods } from '../base/option-checks.ts'
import type { Cache } from '../cache/cache.ts'
import { InvalidOptionError } from '../errors.ts'
import { meterCache } from './otel-metrics.ts'
import { traceCache } from './otel-spans.ts'

// As in clients/sdk-types.ts: where OpenTelemetry is not installed, its types are `any`, and a program that reads these declarations compiles.
/** @ts-ignore */
type Meter = import('@opentelemetry/api').Meter
/** @ts-ignore */
type Tracer = import('@opentelemetry/api').Tracer

/** The options of {@link instrumentCache}; at least one of them. */
export interface OtelOptions {
  /** `metrics.getMeter('my-app')`. @default no metrics */
  readonly meter?: Meter
  /** `trace.getTracer('my-app')`: a span for each call to the provider, below the span of its caller. @default no spans */
  readonly tracer?: Tracer
  /**
   * Which calls have a span: `misses`, those that reach the provider; or `all`, hits too. A span takes half as long as a hit of 2 KB, nearly
   * all of it in OpenTelemetry's own SDK. Metrics count every hit either way.
   * @default 'misses'
   */
  readonly spans?: 'misses' | 'all'
}

/**
 * Tells OpenTelemetry what a cache does. A hit never reports tokens as used. Calls that join another call's flight have no span of their own.
 * @returns a function that ends it
 * @throws {InvalidOptionError} for an option that is unknown, or is no meter or tracer, and if there is neither
 */
export function instrumentCache(cache: Cache, options: OtelOptions): () => void {
  assertKnown('', options, ['meter', 'tracer', 'spans'])
  const { meter, tracer, spans = 'misses' } = options
  if (spans !== 'misses' && spans !== 'all') throw new InvalidOptionError('spans', spans, ['misses', 'all'])
  if (meter === undefined && tracer === undefined) throw new InvalidOptionError('meter', undefined, 'a meter, or a tracer beside it')
  const ends: (() => void)[] = []
  if (meter !== undefined) {
    const methods = ['createHistogram', 'createObservableCounter', 'addBatchObservableCallback']
    ends.push(meterCache(cache, withMethods('meter', meter, { methods, allowed: "a meter of OpenTelemetry: metrics.getMeter('my-app')" })))
  }
  if (tracer !== undefined) {
    const allowed = "a tracer of OpenTelemetry: trace.getTracer('my-app')"
    ends.push(traceCache(cache, withMethods('tracer', tracer, { methods: ['startSpan'], allowed }), spans))
  }
  return () => {
    for (const end of ends) end()
  }
}
