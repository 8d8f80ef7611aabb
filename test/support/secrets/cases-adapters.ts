/**
 * Cases of calls that their caller describes, and of the adapters that are made of them.
 * @module
 */
import type { Cases, SecretCase } from './issuer.ts'
import { secret } from './marker.ts'
import { mistaken } from './mistaken.ts'

const call = { provider: 'p', operation: 'qa', request: { question: secret('prompt') }, credential: secret('key') }

/** Options that cannot be, each with a secret. */
const wrong: readonly object[] = [
  { provider: '' },
  { stream: secret('prompt') },
  { signal: secret('token') },
  { operation: undefined },
  { endpoint: { [secret('name')]: secret('name') } },
  { request: secret('prompt') },
  { model: [secret('prompt')] },
  { origin: [secret('url')] },
  { credential: [secret('key')] },
  { headers: secret('token') },
  { rules: secret('prompt') },
  { [secret('name')]: secret('context') },
]

/** Cases of `cache.call`. */
export const adapterCases: Cases = {
  'src/cache/answer-origin.ts': [
    ...wrong.map((option, index): SecretCase => ({
      name: `a call that cannot be: ${index}`,
      run: (issuer) => issuer.refused(() => issuer.cache().call(mistaken({ ...call, ...option }), () => 1)),
    })),
    {
      name: 'no call at all',
      run: (issuer) => issuer.refused(() => issuer.cache().call(mistaken(secret('prompt')), () => 1)),
    },
    {
      name: 'an answer, a hit, and one that cannot be stored',
      async run(issuer) {
        const cache = issuer.cache()
        for (const answer of [secret('answer'), secret('answer'), () => secret('answer')]) {
          const { info } = await cache.call(call, () => answer)
          issuer.keep('facts', info)
          await cache.clear()
        }
      },
    },
    {
      name: 'a call that must not ask, with nothing stored',
      run: (issuer) => issuer.refused(() => issuer.cache().call({ ...call, mode: 'only-if-cached' }, () => 1)),
    },
  ],
  'src/cache/origin-parts.ts': [
    {
      name: 'a stream that is none',
      run: (issuer) =>
        issuer.refused(async () => {
          const { parts } = await issuer.cache().call({ ...call, stream: true }, () => mistaken(secret('answer')))
          return Array.fromAsync(parts)
        }),
    },
  ],
}
