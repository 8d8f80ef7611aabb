import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/stores/memory-store.ts'
import type { EncryptionOptions } from '../../src/codec/encryption.ts'
import { answer, ask, openCache, question } from '../support/chat.ts'

function encryption(id: string, byte: number): EncryptionOptions {
  return { keys: { [id]: new Uint8Array(32).fill(byte) }, current: id }
}

describe('an encryption key that does not fit what is in the store', () => {
  it.each<[name: string, here: EncryptionOptions | undefined, there: EncryptionOptions | undefined]>([
    ['another key of the same name', encryption('a', 1), encryption('a', 2)],
    ['a key of another name', encryption('a', 1), encryption('b', 1)],
    ['no key', encryption('a', 1), undefined],
    ['a key where there was none', undefined, encryption('a', 1)],
  ])('G47 is logged once: %s', async (_, here, there) => {
    const store = memoryStore()
    const writer = openCache({ store, ...(here && { encryption: here }) })
    for (const text of ['a', 'b', 'c']) await writer.cache.store(question(text), answer())
    await writer.cache.flush()
    const reader = openCache({ store, ...(there && { encryption: there }) })
    for (const text of ['a', 'b', 'c']) expect(await ask(reader.cache, question(text))).toBeUndefined()
    expect(reader.told.lines).toEqual([
      expect.stringMatching(/^llmemo: the encryption does not fit what is in the store: .* the same keys/),
    ])
    expect(writer.told.lines).toEqual([])
  })

  it.each<[name: string, first: EncryptionOptions | undefined, second: EncryptionOptions | undefined]>([
    ['other keys of one name', encryption('a', 1), encryption('a', 2)],
    ['keys of other names', encryption('a', 1), encryption('b', 2)],
    ['a key and none', encryption('a', 1), undefined],
    ['none and a key', undefined, encryption('a', 1)],
  ])('G47 two services with %s take nothing from each other: each keeps what it stored, or stores nothing', async (_, first, second) => {
    const store = memoryStore()
    const open = (own: EncryptionOptions | undefined) => openCache({ store, maxMemoryBytes: 0, ...(own && { encryption: own }) })
    const services = [open(first), open(second)]
    const stored: (string | undefined)[] = [undefined, undefined]
    for (const round of [1, 2, 3]) {
      for (const [index, { cache }] of services.entries()) {
        expect(await ask(cache)).toBe(stored[index])
        const text = `${round} of service ${index}`
        if ((await cache.store(question(), answer(text))).stored) stored[index] = text
        await cache.flush()
      }
    }
    // Under names that are hidden by its own key, or by none, each has a place of its own.
    for (const [index, { cache }] of services.entries()) expect(await ask(cache)).toBe(stored[index])
    expect(stored[0]).toBe('3 of service 0')
    expect(services.flatMap(({ told }) => told.lines)).toEqual([expect.stringContaining('does not fit')])
  })
})

describe('options that are probably not what was meant', () => {
  it('G49 are logged when the cache is made, one line each', () => {
    const { told } = openCache({ ttl: { default: 60_000, embedding: '30d' } })
    expect(told.lines).toEqual([expect.stringContaining('"ttl.default" is 60000 seconds'), expect.stringContaining('"embeddings"')])
  })
})
