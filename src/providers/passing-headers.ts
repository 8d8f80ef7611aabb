/**
 * Request headers that carry or watch a call and cannot change its answer. They are no part of the key.
 *
 * A gateway's headers are listed one by one: those that choose a provider, a model, a configuration or the gateway's own cache may change the
 * answer, and so are not here. A header that is not here is part of the key. Users can add others with `key.ignoreHeaders`.
 * @module
 */

/** Of HTTP itself, and of browsers. */
const transport = [
  'accept',
  'accept-encoding',
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'date',
  'host',
  'idempotency-key',
  'origin',
  'pragma',
  'referer',
  'sec-*',
  'user-agent',
]

/** Of the SDKs. */
const sdks = ['anthropic-dangerous-direct-browser-access', 'x-client-request-id', 'x-goog-api-client', 'x-server-timeout', 'x-stainless-*']

/** Ids by which calls are found again in logs and traces. */
const tracing = [
  // Of AWS's SDKs: the attempt, and who makes it.
  'amz-sdk-*',
  'baggage',
  'b3',
  'correlation-id',
  'ddtrace-*',
  'elastic-apm-traceparent',
  'grpc-trace-bin',
  'jaeger-baggage',
  'jaeger-debug-id',
  'newrelic',
  'ot-baggage-*',
  'ot-tracer-*',
  'request-context',
  'request-id',
  'sentry-trace',
  'session-id',
  'singularityheader',
  'sw8',
  'sw8-correlation',
  'sw8-x',
  'traceparent',
  'traceresponse',
  'tracestate',
  'uber-trace-id',
  'uberctx-*',
  // The signature of a request to AWS, which is another one for each request.
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-user-agent',
  'x-amzn-requestid',
  'x-amzn-trace-id',
  'x-b3-*',
  'x-claude-code-session-id',
  'x-cloud-trace-context',
  'x-conversation-id',
  'x-correlation-id',
  'x-datadog-*',
  'x-dynatrace',
  'x-honeycomb-trace',
  'x-instana-*',
  'x-ms-client-request-id',
  'x-ms-correlation-request-id',
  'x-ms-request-id',
  'x-newrelic-*',
  'x-ot-span-context',
  'x-parent-span-id',
  'x-request-id',
  'x-request-start',
  'x-sentry-*',
  'x-session-id',
  'x-span-id',
  'x-trace-id',
  'x-vercel-id',
]

/** Of gateways and observers: who asked, and how the call is logged. */
const observers = [
  // Braintrust
  'x-bt-parent',
  'x-bt-span-id',
  'x-bt-trace-id',
  // Cloudflare AI Gateway
  'cf-aig-collect-log',
  'cf-aig-collect-log-payload',
  'cf-aig-custom-cost',
  'cf-aig-event-id',
  'cf-aig-log-id',
  'cf-aig-metadata',
  'cf-aig-otel-*',
  'cf-ray',
  // Helicone
  'helicone-customer-id',
  'helicone-model-override',
  'helicone-omit-request',
  'helicone-omit-response',
  'helicone-posthog-*',
  'helicone-prompt-id',
  'helicone-property-*',
  'helicone-request-id',
  'helicone-session-*',
  'helicone-user-id',
  // Langfuse and LangSmith
  'langfuse-*',
  'langfuse_*',
  'langsmith-trace',
  'x-langfuse-*',
  'x-langsmith-*',
  // LiteLLM
  'x-litellm-call-id',
  'x-litellm-session-id',
  'x-litellm-spend-logs-metadata',
  'x-litellm-trace-id',
  // OpenRouter
  'http-referer',
  'x-openrouter-categories',
  'x-openrouter-title',
  'x-title',
  // Portkey, whose metadata may choose the route
  'x-portkey-parent-span-id',
  'x-portkey-span-id',
  'x-portkey-span-name',
  'x-portkey-trace-id',
  // PostHog and Traceloop
  'x-posthog-*',
  'x-traceloop-*',
]

/** Of llmemo: how a call uses the cache. They say by themselves what of them is part of the key, and are not sent. */
const own = ['x-llmemo-*']

/** All of them, in lower case. A `*` at the end stands for any text. */
export const passingHeaders: readonly string[] = [...own, ...transport, ...sdks, ...tracing, ...observers]

/** A set of header names, in lower case. */
export type HeaderNames = Pick<ReadonlySet<string>, 'has'>

/** The names that a list gives, in any letter case. A `*` at the end of a name stands for any text. */
export function headerNames(list: readonly string[]): HeaderNames {
  const lower = list.map((name) => name.toLowerCase())
  const names = new Set(lower.filter((name) => !name.endsWith('*')))
  const prefixes = lower.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1))
  return prefixes.length === 0 ? names : { has: (name) => names.has(name) || prefixes.some((prefix) => name.startsWith(prefix)) }
}
