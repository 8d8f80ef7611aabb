// The gateway as a Worker of Cloudflare: npx wrangler deploy
import { createCache } from 'llmemo'
import { createGateway } from 'llmemo-gateway'

/** Answers in KV, which keeps nothing for less than a minute. */
const storeOf = (answers) => ({
  name: 'kv',
  async get(key) {
    const value = await answers.get(key, 'arrayBuffer')
    return value === null ? undefined : new Uint8Array(value)
  },
  set: (key, value, { ttl }) => answers.put(key, value, { expirationTtl: Math.max(60, Math.ceil(ttl / 1_000)) }),
  delete: (key) => answers.delete(key),
})

export default {
  async fetch(request, env, context) {
    // A gateway for each request: a Worker may not share with one request what belongs to another.
    const store = storeOf(env.ANSWERS)
    const cache = createCache({ store })
    const gateway = createGateway({
      cache,
      store,
      fetch: (input, init) => fetch(input, init),
      access: { jwt: { jwks: env.JWT_JWKS, issuer: env.JWT_ISSUER, audience: env.JWT_AUDIENCE } },
      upstreams: env.UPSTREAM_OPENAI ? { openai: env.UPSTREAM_OPENAI } : {},
    })
    // Cloudflare says who asks. Without an address, a caller would count as this program.
    const remoteAddress = request.headers.get('cf-connecting-ip') ?? 'unknown'
    const response = await gateway.fetch(request, { remoteAddress })
    const { readable, writable } = new TransformStream()
    const sent = response.body === null ? writable.close() : response.body.pipeTo(writable)
    // A caller that goes away ends the body, but not the writing of what is complete.
    context.waitUntil(sent.catch(() => undefined).then(() => cache.flush()))
    return new Response(response.body === null ? null : readable, response)
  },
}
