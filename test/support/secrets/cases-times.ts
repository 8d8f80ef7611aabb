/**
 * Cases of events that tell how long something took: keys, flights, reads, writes, encodings.
 * @module
 */
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import type { Cache } from '../../../src/cache/cache.ts'
import { memoryStore } from '../../../src/stores/memory-store.ts'
import { answer, question, settle } from '../chat.ts'
import type { Cases, Issuer } from './issuer.ts'
import { keyBytes, secret } from './marker.ts'

const prompt = secret('prompt')
const asked = question(prompt, { context: { [secret('context')]: secret('context') } })
const answered = answer(secret('answer').repeat(200))
const url = `https://user:${secret('password')}@api.openai.com/v1/chat/completions?token=${secret('token')}`
const headers = { authorization: `Bearer ${secret('key')}`, 'content-type': 'application/json' }

/** A call whose provider answers so. */
async function askOnce(issuer: Issuer, cache: Cache, provider: typeof globalThis.fetch, signal?: AbortSignal): Promise<void> {
  const body = JSON.stringify(question(prompt).body)
  const fetch = cachingFetch(cache, provider)
  // What the provider or the caller throws is theirs, and reaches nobody but the caller.
  await fetch(url, { method: 'POST', headers, body, ...(signal && { signal }) })
    .then((response) => response.text())
    .catch(() => undefined)
  await settle()
  issuer.keep('stats()', cache.stats())
}

/** A provider that never answers; as fetch does, it ends with the signal's reason. */
function untilAborted(_: unknown, init?: RequestInit): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
  return promise
}

/** A cache over a store that all caches may share, with every entry sealed. */
function sealedCache(issuer: Issuer): Cache {
  return issuer.cache({ store: memoryStore(), encryption: { keys: { a: keyBytes }, current: 'a' }, maxMemoryBytes: 0 })
}

function fail(): never {
  throw new Error(secret('password'))
}

/** Stores an answer, and reads it. */
async function storeAndRead(cache: Cache): Promise<void> {
  await cache.store(asked, answered)
  await cache.flush()
  await cache.lookup(asked)
  await cache.close()
}

/** The cases of these files. */
export const timesCases: Cases = {
  'src/engine/resolve.ts': [
    {
      name: 'a key is made of a prompt and a context',
      run: async (issuer) => void (await issuer.cache().lookup(asked)),
    },
  ],
  'src/engine/told-flight.ts': [
    {
      name: 'flights that land, fail and are cancelled',
      async run(issuer) {
        const cache = issuer.cache()
        await askOnce(issuer, cache, () => Promise.reject(new Error(`${prompt} ${url}`)))
        await askOnce(issuer, cache, async () => Response.json({ error: { message: prompt } }, { status: 500 }))
        const abort = new AbortController()
        const asking = askOnce(issuer, cache, untilAborted, abort.signal)
        await settle()
        abort.abort(new Error(prompt))
        await asking
        await askOnce(issuer, cache, async () => Response.json(answered))
      },
    },
  ],
  'src/engine/shared-store/store-times.ts': [
    { name: 'a store is written and read', run: (issuer) => storeAndRead(sealedCache(issuer)) },
    {
      name: 'a store fails at both',
      async run(issuer) {
        const cache = issuer.cache({ store: { name: 'own', get: fail, set: fail, delete: fail }, maxMemoryBytes: 0 })
        await storeAndRead(cache)
        // The error of a store of the user's own goes to the user's own listener as it is.
        const times = issuer.issued.filter(({ what }) => what === 'event read' || what === 'event write')
        issuer.issued.splice(0, Infinity, ...times)
      },
    },
  ],
  'src/engine/tiers/told-codec.ts': [{ name: 'an answer is encoded', run: (issuer) => storeAndRead(sealedCache(issuer)) }],
  'src/engine/tiers/hot-tier.ts': [
    {
      name: 'an entry makes room for another, and is read',
      async run(issuer) {
        const cache = issuer.cache({ maxMemoryBytes: 20_000 })
        for (let index = 0; index < 40; index++) {
          await cache.store(question(`${prompt} ${index}`), answered)
          await cache.lookup(question(`${prompt} ${index}`))
        }
      },
    },
  ],
}
