import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../../src/stores/memory-store.ts'
import type { Store } from '../../../src/store.ts'
import { openCache } from '../../support/chat.ts'

const keys = { old: Buffer.alloc(32, 1), new: Buffer.alloc(32, 2) }
const prices = [{ model: 'm', input: 100_000, output: 200_000 }]
const answer = { usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } }

/** A store whose sums can be read and written by a program without a key. */
function openStore() {
  const sums = new Map<string, Record<string, number>>()
  const store: Store = {
    ...memoryStore(),
    add(key, amounts) {
      const row = sums.get(key) ?? {}
      for (const [name, amount] of Object.entries(amounts)) row[name] = (row[name] ?? 0) + amount
      if (Object.keys(row).length > 0) sums.set(key, row)
      return { ...row }
    },
  }
  return { store, sums }
}

/** What a process with these keys counts, and what it reads. */
async function processOver(
  store: Store,
  encryption: { keys: Record<string, Uint8Array>; current: string },
  hits: number,
  scope = 'tenant-9',
) {
  const { cache, clock } = openCache({ store, encryption, prices, savings: true })
  for (let time = 0; time <= hits; time++) await cache.getOrCreate({ text: 't', model: 'm', scope, operation: 'qa' }, () => answer)
  await cache.flush()
  return { cache, clock, read: async () => (await cache.savings({ by: 'scope', days: 30 })).rows }
}

describe('the ledger in an encrypted store', () => {
  it('shows a reader of the store numbers, and neither whose they are nor of which day', async () => {
    const { store, sums } = openStore()
    await processOver(store, { keys: { a: keys.old }, current: 'a' }, 5)
    expect(sums.size).toBe(1)
    for (const [key, row] of sums) {
      expect(key).toMatch(/^llmemo\/[^:]*:savings:[0-9a-f]{64}$/)
      for (const name of Object.keys(row)) {
        expect(name).toMatch(/^[\w-]+$/)
        expect(Buffer.from(name, 'base64url').toString('latin1')).not.toMatch(/tenant|qa|hits|saved/)
      }
    }
  })

  it('is the same for processes on both sides of a change of keys, and for no other', async () => {
    const { store } = openStore()
    await processOver(store, { keys: { old: keys.old }, current: 'old' }, 2)
    await processOver(store, { keys, current: 'old' }, 2)
    const changed = await processOver(store, { keys, current: 'new' }, 2)
    const { misses } = (await changed.read())['tenant-9'] ?? {}
    expect((await changed.read())['tenant-9']).toMatchObject({ hits: 9 - (misses ?? 0) })
    const stranger = await processOver(store, { keys: { x: Buffer.alloc(32, 9) }, current: 'x' }, 0, 'other')
    expect(Object.keys(await stranger.read())).toEqual(['other'])
  })

  it('believes no name that was made up, or moved to another day', async () => {
    const { store, sums } = openStore()
    const { clock, read } = await processOver(store, { keys: { a: keys.old }, current: 'a' }, 5)
    const [[firstKey, first] = ['', {}]] = sums
    for (const name of ['hits ["x","y","z"]', '', 'AAAA', `${Object.keys(first)[0]}A`]) first[name] = 1_000
    const before = await read()
    expect(Object.keys(before)).toEqual(['tenant-9'])
    clock.advance(86_400_000)
    const next = await processOver(store, { keys: { a: keys.old }, current: 'a' }, 1)
    next.clock.advance(86_400_000)
    await next.cache.getOrCreate({ text: 't', model: 'm', scope: 'tenant-9', operation: 'qa' }, () => answer)
    await next.cache.flush()
    const secondKey = [...sums.keys()].find((key) => key !== firstKey) ?? ''
    const honest = await next.read()
    Object.assign(sums.get(secondKey) ?? {}, first)
    expect(await next.read()).toEqual(honest)
  })
})
