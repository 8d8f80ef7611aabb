/**
 * Databases of documents as a version of llmemo filled them through the clients of Cosmos DB and Firestore, and the proof that all of it is
 * still read, and would be written the same today.
 *
 * ONCE THE VERSION THAT WROTE THEM IS PUBLISHED, THE FILES IN test/golden/documents MUST NEVER BE REWRITTEN. When a test here fails then, the
 * code is to be mended, or the format gets a new version and new files beside these. Until then `npm run golden -- --again` writes them.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type DocumentDump,
  documentsOf,
  dumpIn,
  goldenDatabases,
  goldenSums,
  goldenValues,
  type OpenDatabase,
  withoutRandom,
} from './support/golden-documents.ts'

const folder = new URL('golden/documents/', import.meta.url)

function fileOf(name: string): DocumentDump {
  return dumpIn(readFileSync(new URL(`${name}.json`, folder), 'utf8'))
}

describe.each(Object.entries(goldenDatabases))('the golden database %s', (name, open: OpenDatabase) => {
  it('gives all that is in it, and changes none of it', async () => {
    const dump = fileOf(name)
    const opened = await open(dump)
    onTestFinished(() => opened.close())
    const { store, withObjects } = opened
    const { 'llmemo/golden:v1:object': object, ...others } = goldenValues
    const keys = Object.keys(others)
    const found = (await store.getMany?.(keys)) ?? []
    const isSame = (key: string, index: number): boolean => Buffer.compare(found[index] ?? Buffer.of(7), others[key] ?? Buffer.of()) === 0
    expect(keys.filter((key, index) => !isSame(key, index))).toEqual([])
    expect(await withObjects.get('llmemo/golden:v1:object')).toEqual(object)
    expect(await store.add?.(goldenSums.key, {}, { ttl: 1_000 })).toEqual(goldenSums.sums)
    expect(await store.lease?.('llmemo/golden:lease:taken', 'another', { ttl: 1_000 })).toBe('a token')
    const listed: string[] = []
    for await (const key of store.keys?.('llmemo/golden:v1:') ?? []) listed.push(key)
    expect(listed.toSorted()).toEqual(
      Object.keys(goldenValues)
        .filter((key) => key.includes(':v1:'))
        .toSorted(),
    )
    expect(opened.dump()).toEqual(dump)
  })

  it('would be written the same today', async () => {
    expect(withoutRandom(await documentsOf(open))).toEqual(withoutRandom(fileOf(name)))
  })
})

describe('the golden databases', () => {
  it('are as many as there are files', () => {
    expect(readdirSync(folder).toSorted()).toEqual(Object.keys(goldenDatabases).map((name) => `${name}.json`))
  })
})
