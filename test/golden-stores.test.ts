/**
 * Whole stores, with entries and their generations, as a version of llmemo wrote them, and the proof that they are still served.
 *
 * ONCE THE VERSION THAT WROTE THEM IS PUBLISHED, THE FILES IN test/golden/stores MUST NEVER BE REWRITTEN. When a test here fails then, the
 * code is to be mended, or the format gets a new version and new files beside these. Until then `npm run golden -- --again` writes them.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { goldenCache } from './support/golden-calls.ts'
import { type Dump, dumpOf, type GoldenStore, goldenStores, storeOf } from './support/golden-stores.ts'

const folder = new URL('golden/stores/', import.meta.url)

function fileOf(name: string): Dump {
  const dump: Dump = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'))
  return dump
}

describe.each(Object.entries(goldenStores))('B06 the golden store %s', (name, golden: GoldenStore) => {
  const { options = {}, ask } = golden

  it('serves its answer to a process that knows nothing else', async () => {
    const store = storeOf(fileOf(name))
    const before = new Map(store.map)
    const { cache } = goldenCache(options, store)
    expect(await ask(cache, true)).toEqual(await ask(undefined, false))
    await cache.flush()
    expect(cache.stats()).toMatchObject({ errors: 0, misses: 0 })
    expect(store.map).toEqual(before)
  })

  it('serves nothing without its generations', async () => {
    const dump = fileOf(name)
    const isServedWithout = async (...lost: string[]): Promise<boolean> => {
      const generations = Object.fromEntries(Object.entries(dump.generations).filter(([each]) => !lost.includes(each)))
      const { cache } = goldenCache(options, storeOf({ ...dump, generations }))
      const asked: unknown = await ask(cache, true).catch((error: unknown) => error)
      expect(cache.stats().errors).toBe(0)
      return asked !== undefined && !(asked instanceof Error)
    }
    const spared: string[] = []
    for (const lost of Object.keys(dump.generations)) if (await isServedWithout(lost)) spared.push(lost)
    // Whether anything was removed, and whether this was: either is enough, as long as it says no.
    expect(spared.length).toBeLessThan(Object.keys(dump.generations).length)
    expect(await isServedWithout(...spared)).toBe(false)
  })

  it('would be written under the same names today', async () => {
    const { entries, generations } = fileOf(name)
    const now = await dumpOf(golden)
    expect([Object.keys(now.entries), Object.keys(now.generations)]).toEqual([Object.keys(entries), Object.keys(generations)])
  })
})

describe('the golden stores', () => {
  it('are as many as there are files', () => {
    expect(readdirSync(folder).toSorted()).toEqual(
      Object.keys(goldenStores)
        .map((name) => `${name}.json`)
        .toSorted(),
    )
  })
})
