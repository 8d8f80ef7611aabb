/**
 * Whether the SDK traces its calls. It starts a span in each of its methods, so a call that is answered before the method would have none.
 * Source: `internal/tracing.js` of @anthropic-ai/sdk, which has it from 1.0 on, and `internal/global-utils.js` of @opentelemetry/api
 * @module
 */
import { isJsonObject } from '../../json/object.ts'
import { memberOf } from './structured-output.ts'

/** Where @opentelemetry/api keeps what a program registers. All of its copies in a process share it. */
const registry = Symbol.for('opentelemetry.js.api.1')

/** Returns a function that says whether no span of a call of `client` is recorded or passed on. */
export function tracingOf(client: object): () => boolean {
  const tracer: unknown = memberOf(client, '_tracer')
  const options: unknown = tracer === undefined ? undefined : memberOf(client, 'openTelemetry')
  const isOfCaller = tracer !== undefined && (!isJsonObject(options) || options['tracerProvider'] !== undefined)
  return () => memberOf(client, '_tracer') === tracer && !isOfCaller && (tracer === undefined || !isRegistered())
}

/** Whether the program has registered anything that records spans or passes them on. */
function isRegistered(): boolean {
  const registered: unknown = Reflect.get(globalThis, registry)
  if (!isJsonObject(registered)) return false
  const { trace, propagation, context } = registered
  return trace !== undefined || propagation !== undefined || context !== undefined
}
