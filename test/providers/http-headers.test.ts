import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../src/json/canonical.ts'
import { credentialText, keptHeaders, keyedHeaders } from '../../src/providers/http-headers.ts'

const none = new Set<string>()
const keyed = (headers: Record<string, string>, ignored: ReadonlySet<string> = none) => keyedHeaders(Object.entries(headers), ignored)
const keyText = (headers: Record<string, string>) => canonicalJson(keyed(headers), { longText: 1_000 })
const from = (headers: Record<string, string>) => {
  const all = new Headers(headers)
  return (name: string) => all.get(name)
}

describe('keyedHeaders', () => {
  it.each([
    'OpenAI-Beta',
    'anthropic-version',
    'anthropic-beta',
    'X-Whatever',
    'Accept-Language',
    'X-Portkey-Config',
    'x-api-version',
    '__proto__',
  ])('T03 %s is part of the key, as it may change the answer', (name) => {
    expect(keyText({ [name]: 'a' })).toBe(`{"${name.toLowerCase()}":"a"}`)
    expect(keyText({ [name]: 'a' })).not.toBe(keyText({ [name]: 'b' }))
  })

  it.each([
    'Idempotency-Key',
    'X-Stainless-Retry-Count',
    'x-stainless-lang',
    'traceparent',
    'tracestate',
    'baggage',
    'sentry-trace',
    'X-Request-Id',
    'X-Client-Request-Id',
    'X-B3-TraceId',
    'x-datadog-trace-id',
    'User-Agent',
    'Content-Length',
    'Content-Type',
    'Accept',
    'Accept-Encoding',
    'Date',
    'Host',
    'Connection',
    'Sec-Fetch-Mode',
  ])('T04 %s is not part of the key', (name) => {
    expect(keyedHeaders([[name, 'a']], none)).toEqual({})
  })

  it.each(['Authorization', 'api-key', 'X-Api-Key', 'x-goog-api-key', 'OpenAI-Organization', 'OpenAI-Project', 'Cookie'])(
    'T07 %s makes the scope and is not part of the key, so that an explicit scope can replace it',
    (name) => {
      expect(keyedHeaders([[name, 'a']], none)).toEqual({})
      expect(credentialText((asked) => (asked === name.toLowerCase() ? 'a' : null))).not.toBe('')
    },
  )

  it.each([
    'Helicone-Session-Id',
    'Helicone-Property-Run',
    'Helicone-User-Id',
    'x-portkey-trace-id',
    'cf-aig-metadata',
    'cf-aig-otel-trace-id',
    'cf-aig-otel-parent-span-id',
    'x-session-id',
    'x-litellm-trace-id',
    'x-litellm-call-id',
    'elastic-apm-traceparent',
    'grpc-trace-bin',
    'langfuse_trace_id',
    'x-langfuse-session-id',
    'x-bt-parent',
    'HTTP-Referer',
    'X-Title',
    'x-instana-t',
    'X-Cloud-Trace-Context',
    'ot-tracer-traceid',
    'ot-baggage-user',
    'amz-sdk-invocation-id',
    'X-Amzn-RequestId',
    'Request-Context',
    'x-ms-correlation-request-id',
  ])('G44 %s, of a gateway or an observer, is not part of the key', (name) => {
    expect(keyedHeaders([[name, 'a']], none)).toEqual({})
  })

  it.each([
    'Helicone-Target-Url',
    'Helicone-Fallbacks',
    'Helicone-Cache-Seed',
    'Helicone-Cache-Enabled',
    'Helicone-Auth',
    'x-portkey-config',
    'x-portkey-provider',
    'x-portkey-virtual-key',
    'x-portkey-metadata',
    'cf-aig-skip-cache',
    'cf-aig-cache-key',
    'x-litellm-tags',
    'x-bt-endpoint-name',
    'x-bt-use-cache',
    'x-session-affinity',
  ])('G44 %s, by which a gateway may choose the answer, is part of the key', (name) => {
    expect(Object.keys(keyed({ [name]: 'a' }))).toEqual([name.toLowerCase()])
  })

  it('leaves out the headers that the settings name, in any letter case', () => {
    expect(keyed({ 'X-Tenant': 'a', 'X-Other': 'b' }, new Set(['x-tenant']))).toEqual({ 'x-other': 'b' })
  })

  it('T04 does not depend on order or letter case', () => {
    expect(keyText({ 'X-B': '2', 'x-a': '1' })).toBe(keyText({ 'X-A': '1', 'x-b': '2' }))
  })
})

describe('credentialText', () => {
  it('T07 is empty for a request without a credential', () => {
    expect(credentialText(from({ 'content-type': 'application/json', 'x-other': '1' }))).toBe('')
  })

  it('T07 differs for any two credentials', () => {
    const value = fc.option(fc.constantFrom('a', 'b', 'a","b', 'null', ''), { nil: null })
    const names = ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key', 'openai-organization', 'openai-project', 'cookie']
    const credential = fc.array(value, { minLength: names.length, maxLength: names.length })
    fc.assert(
      fc.property(credential, credential, (first, second) => {
        const [one, other] = [first, second].map((values) => credentialText((name) => values[names.indexOf(name)] ?? null))
        expect(one === other).toBe(JSON.stringify(first) === JSON.stringify(second))
      }),
    )
  })
})

describe('keptHeaders', () => {
  it('T09 keeps what is true of every replay, and nothing of the first caller', () => {
    const answered = {
      'Content-Type': 'application/json',
      'x-request-id': 'req_1',
      'openai-version': '2020-10-01',
      'set-cookie': '__cf_bm=secret',
      'openai-organization': 'org-secret',
      'openai-processing-ms': '17',
      'x-ratelimit-remaining-requests': '9',
      date: 'Thu, 01 Jan 1970 00:00:00 GMT',
      'content-encoding': 'gzip',
      'content-length': '17',
      'transfer-encoding': 'chunked',
      'cf-ray': '1',
    }
    expect(keptHeaders(from(answered))).toEqual({
      'content-type': 'application/json',
      'x-request-id': 'req_1',
      'openai-version': '2020-10-01',
    })
  })
})
