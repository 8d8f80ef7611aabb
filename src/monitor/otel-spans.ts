/**
 * A span for each call to the provider, and for each hit if that is asked for, below the span of its caller.
 * @module
 */
import type { Attributes, Span, Tracer } from '@opentelemetry/api'
import type { Cache } from '../cache/cache.ts'
import type { CallEvent, HitEvent, LandingEvent } from '../events.ts'
import { attributeNames, operationName, providerName } from './otel-names.ts'

/** `SpanKind` and `SpanStatusCode` of the API, which is not loaded. */
const kinds = { internal: 0, client: 2 } as const
const errorStatus = 2

/** Makes spans of what a cache tells. @returns a function that ends it, and all open spans */
export function traceCache(cache: Cache, tracer: Tracer, spans: 'misses' | 'all'): () => void {
  const open = new Map<number, Span>()
  const ends = [
    cache.on('flight', (event) => {
      const attributes = { ...attributesOf(event), [attributeNames.hit]: false }
      // Without a context of ours, a span is a child of the caller's.
      open.set(event.flight, tracer.startSpan(nameOf(event), { kind: kinds.client, attributes }))
    }),
    cache.on('landing', (event) => {
      const span = open.get(event.flight)
      open.delete(event.flight)
      if (span !== undefined) land(span, event)
    }),
  ]
  const hit = (event: HitEvent): void => {
    // A call that joins a flight is told of at the end of that flight, in the context of another caller.
    if (event.source === 'flight') return
    tracer.startSpan(nameOf(event), { kind: kinds.internal, attributes: hitAttributes(event) }).end()
  }
  if (spans === 'all') ends.push(cache.on('hit', hit))
  return () => {
    for (const end of ends) end()
    for (const span of open.values()) span.end()
    open.clear()
  }
}

function land(span: Span, { end, answered, usage }: LandingEvent): void {
  span.setAttribute(attributeNames.responseModel, answered)
  if (usage !== undefined) {
    const { input, output, cacheRead, cacheWrite, cacheWriteHour } = usage
    span.setAttribute(attributeNames.inputTokens, input)
    span.setAttribute(attributeNames.outputTokens, output)
    if (cacheRead !== undefined) span.setAttribute(attributeNames.cacheReadTokens, cacheRead)
    const written = (cacheWrite ?? 0) + (cacheWriteHour ?? 0)
    if (written > 0) span.setAttribute(attributeNames.cacheWriteTokens, written)
  }
  if (end === 'cancelled') span.setAttribute(attributeNames.cancelled, true)
  if (end === 'failed') {
    // The error itself may quote a prompt.
    span.setAttribute(attributeNames.errorType, '_OTHER')
    span.setStatus({ code: errorStatus })
  }
  span.end()
}

/** What a hit saved is no usage: tools add usage up as spent. */
function hitAttributes(event: HitEvent): Attributes {
  const { source, stale, age, answered, tokens, latency } = event
  return {
    ...attributesOf(event),
    [attributeNames.responseModel]: answered,
    [attributeNames.hit]: true,
    [attributeNames.source]: source,
    [attributeNames.stale]: stale,
    [attributeNames.age]: age,
    [attributeNames.savedMs]: latency,
    ...(tokens !== null && { [attributeNames.savedTokens]: tokens }),
  }
}

function nameOf({ endpoint, model }: CallEvent): string {
  return `${operationName(endpoint)} ${model}`.trim()
}

/** A scope may name a customer, so it is no attribute. */
function attributesOf({ endpoint, provider, model, streamed, operation, key }: CallEvent): Attributes {
  return {
    [attributeNames.operation]: operationName(endpoint),
    [attributeNames.provider]: providerName(provider),
    [attributeNames.requestModel]: model,
    [attributeNames.requestStream]: streamed,
    [attributeNames.cacheOperation]: operation,
    [attributeNames.key]: key,
  }
}
