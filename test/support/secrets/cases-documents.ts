/**
 * Cases of the stores in Cosmos DB and in Firestore, over clients that fail as the SDKs do, and of what they have in common.
 * @module
 */
import type { CosmosContainer } from '../../../src/stores/cosmos/container.ts'
import { cosmosStore } from '../../../src/stores/cosmos/store.ts'
import type { FirestoreClient } from '../../../src/stores/firestore/client.ts'
import { firestoreStore } from '../../../src/stores/firestore/store.ts'
import type { Store } from '../../../src/store.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { answer, question } from '../chat.ts'
import type { Cases, Issuer, SecretCase } from './issuer.ts'
import { keyBytes, secret } from './marker.ts'
import { mistaken } from './mistaken.ts'

const prompt = secret('prompt')
const password = secret('password')
const bytes = new TextEncoder().encode(secret('answer'))
const ttl = { ttl: 1_000_000 }
const refusedBy = (name: string, action: () => unknown): SecretCase => ({ name, run: (issuer) => issuer.refused(action) })

/** As the SDKs make them: with a message that quotes what was sent, and the answer. */
function failure(code: unknown): Error {
  return Object.assign(new Error(`${password} ${prompt}`), {
    code,
    body: prompt,
    headers: { authorization: password },
    metadata: { prompt },
  })
}

/** A container in which every request ends so. The settings do not fit either. */
function container(answered: (method: string) => unknown): CosmosContainer {
  const method = (name: string) => async (): Promise<never> => mistaken(answered(name))
  return {
    id: 'answers',
    read: async () => ({ resource: { id: password, partitionKey: { paths: [`/${password}`] } } }),
    item: () => ({ read: method('read'), replace: method('replace'), delete: method('delete') }),
    items: {
      create: method('create'),
      upsert: method('upsert'),
      query: () => ({ hasMoreResults: () => true, fetchNext: method('query') }),
    },
  }
}

/** A client of Firestore whose every request ends so. */
function firestore(answered: (method: string) => unknown): FirestoreClient {
  const method = (name: string) => async (): Promise<never> => mistaken(answered(name))
  const query = { orderBy: () => query, select: () => query, limit: () => query, startAfter: () => query, get: method('query') }
  return {
    collection: () => ({
      doc: () => ({ create: method('create'), update: method('update'), delete: method('delete') }),
      where: () => query,
    }),
    getAll: method('read'),
    batch: () => ({ set: () => undefined, delete: () => undefined, commit: method('commit') }),
  }
}

function thrown(error: unknown): never {
  throw error
}

/** Each method of a store, by itself and under a cache. */
async function use(issuer: Issuer, store: Store, clock: ManualClock): Promise<void> {
  const moved = setInterval(() => clock.advance(500), 1)
  store.onReport?.((message, cause) => issuer.keep('report', [message, cause]))
  const cache = issuer.cache({ store, encryption: { keys: { a: keyBytes }, current: 'a' }, maxMemoryBytes: 0, readDeadline: '10s' })
  await issuer.outcome(async () => void (await cache.lookup(question(prompt))))
  await issuer.outcome(() => cache.store(question(prompt), answer(secret('answer'))))
  await cache.flush()
  await issuer.outcome(async () => void (await store.get(prompt)))
  await issuer.outcome(async () => void (await store.getMany?.([prompt])))
  await issuer.outcome(() => store.set(prompt, bytes, ttl))
  await issuer.outcome(() => store.set(prompt, new Uint8Array(2_000_000), ttl))
  await issuer.outcome(() => store.setMany?.([{ key: prompt, value: bytes, ...ttl }]))
  await issuer.outcome(async () => void (await store.setIfAbsent?.(prompt, bytes, ttl)))
  await issuer.outcome(async () => void (await store.lease?.(prompt, secret('token'), ttl)))
  await issuer.outcome(() => store.release?.(prompt, secret('token')))
  await issuer.outcome(async () => void (await store.add?.(prompt, { a: 1 }, ttl)))
  await issuer.outcome(async () => void (await Array.fromAsync(store.keys?.(prompt) ?? [])))
  await issuer.outcome(() => store.delete(prompt))
  clearInterval(moved)
}

/** What Cosmos DB, Firestore, their SDKs and the network fail by. */
const codes: readonly unknown[] = [400, 401, 403, 404, 429, 503, 5, 7, 8, 9, 14, 16, 'ECONNREFUSED', password, undefined]

export const documentCases: Cases = {
  'src/stores/cosmos/store.ts': [
    refusedBy('no container', () => cosmosStore({ container: mistaken({ password }) })),
    refusedBy('no partition key', () => cosmosStore({ container: container(() => ({})), partitionKey: password.repeat(9) })),
    refusedBy('no option', () => cosmosStore(mistaken({ container: container(() => ({})), [password]: password }))),
    ...codes.map((code) => ({
      name: `a container that fails by ${typeof code === 'string' ? 'a text' : String(code)}`,
      run: async (issuer: Issuer) => {
        const clock = new ManualClock()
        await use(issuer, cosmosStore({ container: container(() => thrown(failure(code))), clock }), clock)
      },
    })),
  ],
  'src/stores/cosmos/access.ts': [
    refusedBy('a container that is not there', () =>
      cosmosStore({ container: container(() => ({ statusCode: 404, substatus: 1003, resource: undefined })) }).get(prompt),
    ),
  ],
  'src/stores/firestore/store.ts': [
    refusedBy('no client', () => firestoreStore({ client: mistaken({ password }) })),
    refusedBy('no collection', () => firestoreStore({ client: firestore(() => []), collection: `${password}/${prompt}` })),
    ...codes.map((code) => ({
      name: `a client that fails by ${typeof code === 'string' ? 'a text' : String(code)}`,
      run: async (issuer: Issuer) => {
        const clock = new ManualClock()
        await use(issuer, firestoreStore({ client: firestore(() => thrown(failure(code))), clock }), clock)
      },
    })),
  ],
  'src/stores/documents/changes.ts': [
    {
      name: 'a document that others always change first',
      async run(issuer) {
        const clock = new ManualClock()
        const client = firestore((method) => (method === 'read' ? [{ exists: false }] : thrown(failure(6))))
        const moved = setInterval(() => clock.advance(500), 1)
        await issuer.refused(() => firestoreStore({ client, clock }).lease?.(prompt, secret('token'), ttl))
        clearInterval(moved)
      },
    },
  ],
  'src/stores/documents/store.ts': [
    refusedBy('a key that cannot be', () => firestoreStore({ client: firestore(() => []) }).set(prompt.repeat(500), bytes, ttl)),
  ],
  'src/stores/documents/reports.ts': [
    {
      name: 'access that is denied, and settings that do not fit',
      async run(issuer) {
        const store = cosmosStore({ container: container(() => thrown(failure(403))) })
        store.onReport?.((message, cause) => issuer.keep('report', [message, cause]))
        await issuer.refused(() => store.get(prompt))
        await new Promise((resolve) => setImmediate(resolve))
      },
    },
  ],
  'src/stores/objects/large-values.ts': [
    {
      name: 'an object that cannot be read',
      async run(issuer) {
        const fields = { key: prompt, until: Date.now() + 1_000_000, elsewhere: { object: prompt, tag: password, size: 5 } }
        const client = firestore(() => [{ exists: true, data: () => fields }])
        const objects = {
          name: 'a place',
          put: async () => '',
          get: () => Promise.reject(failure(password)),
          delete: async () => undefined,
        }
        const store = firestoreStore({ client, overflow: { objects } })
        store.onReport?.((message, cause) => issuer.keep('report', [message, cause]))
        await issuer.outcome(() => store.get(prompt))
      },
    },
  ],
}
