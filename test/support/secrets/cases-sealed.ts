/**
 * Cases of a store under encryption to which a program writes that does not have the key, or has another one.
 * @module
 */
import type { EncryptionOptions } from '../../../src/codec/encryption.ts'
import { readEncryption } from '../../../src/codec/encryption.ts'
import type { Store } from '../../../src/store.ts'
import { answer, ask, question, settle } from '../chat.ts'
import type { Cases, Issuer, SecretCase } from './issuer.ts'
import { keyBytes, secret } from './marker.ts'
import { mistaken } from './mistaken.ts'

const prompt = secret('prompt')
const asked = question(prompt)
const sealed: EncryptionOptions = { keys: { a: keyBytes }, current: 'a' }

type Stored = Map<string, Uint8Array>

function storeOf(map: Stored, methods: Partial<Store> = {}): Store {
  return {
    name: 'own',
    get: (key) => map.get(key),
    set: (key, value) => void map.set(key, value),
    delete: (key) => void map.delete(key),
    ...methods,
  }
}

/** What lies in a store after an answer was kept under this encryption. */
async function filled(issuer: Issuer, encryption?: EncryptionOptions): Promise<Stored> {
  const map: Stored = new Map()
  const cache = issuer.cache({ store: storeOf(map), maxMemoryBytes: 0, ...(encryption && { encryption }) })
  await cache.store(asked, answer(secret('answer')))
  await cache.flush()
  return map
}

/** Reads and writes with this encryption what another program left. */
async function read(issuer: Issuer, map: Stored, encryption: EncryptionOptions | undefined = sealed): Promise<void> {
  const cache = issuer.cache({ store: storeOf(map), maxMemoryBytes: 0, ...(encryption && { encryption }) })
  await issuer.outcome(async () => void (await ask(cache, asked)))
  await cache.flush()
  await settle()
}

const forged: SecretCase = {
  name: 'each value is put in the place of each other, and is cut, and is a text of another program',
  async run(issuer) {
    const names = [...(await filled(issuer, sealed)).keys()]
    for (const name of names) {
      for (const other of [...names, undefined]) {
        const map = await filled(issuer, sealed)
        const places = [...map.keys()]
        const place = places[names.indexOf(name)] ?? ''
        const value = other === undefined ? new TextEncoder().encode(prompt) : map.get(places[names.indexOf(other)] ?? '')
        map.set(place, value ?? new Uint8Array())
        await read(issuer, map)
      }
    }
  },
}

const otherKeys: SecretCase = {
  name: 'a process has no key, another key, or another id',
  async run(issuer) {
    await readPlain(issuer, await filled(issuer, sealed))
    await read(issuer, await filled(issuer))
    await read(issuer, await filled(issuer, sealed), { keys: { a: new Uint8Array(32) }, current: 'a' })
    await read(issuer, await filled(issuer, { keys: { b: keyBytes }, current: 'b' }))
  },
}

/** Reads without a key. */
async function readPlain(issuer: Issuer, map: Stored): Promise<void> {
  const cache = issuer.cache({ store: storeOf(map), maxMemoryBytes: 0 })
  await issuer.outcome(async () => void (await ask(cache, asked)))
  await cache.flush()
}

const garbage: SecretCase = {
  name: 'a store that answers garbage',
  async run(issuer) {
    for (const methods of [{ get: () => mistaken(prompt) }, { getMany: () => mistaken([prompt]) }]) {
      const cache = issuer.cache({ store: storeOf(new Map(), methods), encryption: sealed, maxMemoryBytes: 0 })
      await issuer.outcome(async () => void (await ask(cache, asked)))
    }
  },
}

export const sealedCases: Cases = {
  'src/engine/shared-store/sealed-values.ts': [forged, garbage],
  'src/engine/shared-store/store-sign.ts': [otherKeys, forged],
  'src/engine/tiers/tier-store.ts': [forged],
  'src/engine/tiers/tiers.ts': [otherKeys],
  'src/engine/notices.ts': [forged, otherKeys],
  'src/codec/encryption.ts': [
    {
      name: 'no such key',
      run: (issuer) => issuer.refused(() => readEncryption('encryption', sealed).sign(secret('key'), mistaken('entry'), [prompt])),
    },
  ],
}
