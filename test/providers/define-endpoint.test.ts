import { expect, it } from 'vitest'
import { createCache } from '../../src/cache/cache.ts'
import { cachingFetch } from '../../src/clients/with-cache.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { defineEndpoint, type EndpointDefinition } from '../../src/providers/define-endpoint.ts'
import { settle } from '../support/chat.ts'

/** What a caller without types may give. */
function untyped(more: object): EndpointDefinition {
  return { provider: 'acme', name: 'answers', match: '/acme', ...more }
}

const parts = { assemble: ([first]: readonly object[]) => first, disassemble: (answer: object) => [answer] }

it.each<[string, object]>([
  ['operation', { operation: 5 }],
  ['operation', { operation: '' }],
  ['ignore', { ignore: 'caller' }],
  ['ignore', { ignore: null }],
  ['usage', { usage: 'tokens' }],
  ['skipReason', { skipReason: 'empty' }],
  ['bypassReason', { bypassReason: null }],
  ['match', { match: /acme/ }],
  ['streaming', { streaming: true }],
  ['streaming', { streaming: null }],
  ['streaming.assemble', { streaming: {} }],
  ['streaming.disassemble', { streaming: { assemble: parts.assemble } }],
  ['streaming.form', { streaming: { ...parts, form: 'xml' } }],
  ['streaming.isAsked', { streaming: { ...parts, isAsked: true } }],
  ['streaming.eventName', { streaming: { ...parts, eventName: 'answer' } }],
  ['streaming.asemble', { streaming: { ...parts, asemble: parts.assemble } }],
  ['perInput', { perInput: { split: () => [] } }],
])('a definition with a wrong %s is refused at once: %j', (member, more) => {
  const refusal = expect.objectContaining({ message: expect.stringContaining(`"defineEndpoint.${member}"`) })
  expect(() => defineEndpoint(untyped(more))).toThrow(InvalidOptionError)
  expect(() => defineEndpoint(untyped(more))).toThrow(refusal)
})

/** A `fetch` over a cache with this endpoint. The provider streams where `stream` is asked for. */
function asking(more: object) {
  const cache = createCache({ logger: false, endpoints: [defineEndpoint(untyped(more))] })
  let asked = 0
  const fetch = cachingFetch(cache, async (_, init) => {
    asked++
    const body = typeof init?.body === 'string' ? init.body : ''
    if (!body.includes('"stream":true')) return Response.json({ said: 'whole' })
    return new Response('data: {"said":"streamed"}\n\n', { headers: { 'content-type': 'text/event-stream' } })
  })
  const ask = async (body: object, url = 'https://example.com/acme'): Promise<Response> => {
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) })
    const copy = response.clone()
    await response.text()
    await settle()
    return copy
  }
  return { ask, asked: () => asked }
}

it.each([null, undefined, 0])('an address for which `match` gives %s is of another endpoint', async (said) => {
  const { ask } = asking({ match: () => said })
  expect((await ask({ question: 'Why?' })).headers.get('cache-status')).toBeNull()
  const url = 'https://api.openai.com/v1/chat/completions'
  expect((await ask({ model: 'm', messages: [] }, url)).headers.get('cache-status')).toContain('fwd=miss')
})

it.each([false, null, '', undefined])('a reason that is %j is none', async (reason) => {
  const { ask, asked } = asking({ skipReason: () => reason, bypassReason: () => reason })
  for (let call = 0; call < 2; call++) await ask({ question: 'Why?' })
  expect(asked()).toBe(1)
})

it.each<[string, object]>([
  ['a promise in place of an answer', { assemble: async () => ({ said: 'late' }) }],
  ['an instance of a class in place of an answer', { assemble: () => new Map() }],
  ['no events of an answer', { disassemble: () => [] }],
  ['nothing in place of events', { disassemble: () => undefined }],
])('streams whose code gives %s never answer for whole answers, nor the other way round', async (_, wrong) => {
  const { ask } = asking({ streaming: { ...parts, ...wrong } })
  await ask({ question: 'streamed first', stream: true })
  const whole: unknown = await (await ask({ question: 'streamed first' })).json()
  expect([{ said: 'whole' }, { said: 'streamed' }]).toContainEqual(whole)
  await ask({ question: 'whole first' })
  expect(await (await ask({ question: 'whole first', stream: true })).text()).toMatch(/^data: \{"said":"(?:streamed|whole)"\}\n\n$/)
})

it('what says by more than true that a stream is asked for is taken at its word', async () => {
  const { ask, asked } = asking({ streaming: { ...parts, isAsked: ({ stream }: { stream?: unknown }) => (stream === true ? 'yes' : 0) } })
  await ask({ question: 'Why?', stream: true })
  const again = await ask({ question: 'Why?', stream: true })
  expect(await again.text()).toBe('data: {"said":"streamed"}\n\n')
  expect(asked()).toBe(1)
})
