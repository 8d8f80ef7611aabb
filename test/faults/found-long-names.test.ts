import { getHeapSnapshot } from 'node:v8'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { createPriceBook, maxPricedName } from '../../src/engine/pricing/price-book.ts'
import { createCache, withCache } from '../../src/index.ts'
import { ScriptedStore } from '../support/scripted-store.ts'
import { answer, question, settle } from '../support/chat.ts'

const megabyte = 1_000_000

/** A name of a megabyte, of its own text and in its own memory. */
function longName(kind: string, index: number): string {
  return Buffer.from(`${kind} ${index} `.padEnd(megabyte, 'n')).toString('latin1')
}

async function fetch(): Promise<Response> {
  return Response.json(answer())
}

/** How many texts of about a megabyte or more the heap holds, whatever holds them. Taking the snapshot collects what can be collected. */
async function longTextsOnHeap(): Promise<number> {
  const chunks: Buffer[] = []
  for await (const chunk of getHeapSnapshot()) chunks.push(Buffer.from(chunk))
  const snapshot: {
    readonly snapshot: { readonly meta: { readonly node_fields: readonly string[]; readonly node_types: readonly (readonly string[])[] } }
    readonly nodes: readonly number[]
  } = JSON.parse(Buffer.concat(chunks).toString('latin1'))
  const { node_fields: fields, node_types: types } = snapshot.snapshot.meta
  const [type, size, text] = [fields.indexOf('type'), fields.indexOf('self_size'), types[0]?.indexOf('string')]
  let found = 0
  for (let at = 0; at < snapshot.nodes.length; at += fields.length) {
    if (snapshot.nodes[at + type] === text && (snapshot.nodes[at + size] ?? 0) >= megabyte * 0.9) found++
  }
  return found
}

describe('names of a megabyte', () => {
  it.each([
    ['memory alone', false],
    ['a store', true],
  ])('G53 are held by no table, over %s', async (_, isOverStore) => {
    const before = await longTextsOnHeap()
    const store = new ScriptedStore()
    const cache = createCache({ logger: false, maxMemoryBytes: 2 ** 20, ...(isOverStore && { store }) })
    const client = withCache(new OpenAI({ apiKey: 'k', fetch }), cache)
    for (let index = 0; index < 30; index++) {
      const [model, operation, scope, tag] = ['model', 'operation', 'scope', 'tag'].map((kind) => longName(kind, index))
      const options = { cache: { operation: operation ?? '', scope: scope ?? '', tags: [tag ?? ''] } }
      await client.chat.completions.create({ model: model ?? '', messages: [{ role: 'user', content: 'Hi' }] }, options)
      await cache.store(question('Hi', options.cache), answer())
      await cache.lookup(question('Hi', options.cache))
      await cache.lookup(question('Hi', { ...options.cache, tags: [longName('other', index)] }))
      await cache.invalidate({ tags: [tag ?? ''] })
      const key = longName('key', index)
      await cache.del(key)
      await cache.wrapSWR(key, '1s', '2s', () => 1)
      await cache.flush()
      store.map.clear()
      store.calls.length = 0
    }
    const { byModel, byOperation, misses } = cache.stats()
    // A reader that was collected is let go of in a later turn. Each look at the heap collects what can be collected.
    let held = Infinity
    for (let look = 0; held >= 15 && look < 5; look++) {
      held = (await longTextsOnHeap()) - before
      await settle()
    }
    // A few are of the last call, whose objects are still there.
    expect(held).toBeLessThan(15)
    expect([misses > 0, Object.keys(byModel), Object.keys(byOperation)]).toEqual([
      true,
      expect.arrayContaining(['other']),
      expect.any(Array),
    ])
    expect(JSON.stringify({ byModel, byOperation }).length).toBeLessThan(10_000)
    await cache.close()
  })

  it('G53 have no price, and no rule and no table is searched for them', () => {
    const searched: string[] = []
    const model = Object.assign(/x/, {
      exec(text: string) {
        searched.push(text)
        return null
      },
    })
    const table = {
      calcPrice: (_: unknown, name: string) => {
        searched.push(name)
        return null
      },
      findProvider: () => undefined,
    }
    const book = createPriceBook([{ model, input: 1, output: 1 }], { load: async () => table, loadNow: () => table })
    const usage = { input: 1_000_000, output: 0 }
    expect(book.price(usage, { provider: 'openai', model: longName('model', 1) })).toBeNull()
    expect(book.price(usage, { provider: 'openai', model: 'm', origin: longName('origin', 1) })).toBeNull()
    expect(book.price({ ...usage, cost: 3 }, { provider: 'openai', model: longName('model', 1) })).toBe(3)
    expect(searched).toEqual([])
    // The longest name that a provider takes is searched for.
    const all = createPriceBook([{ model: '*', input: 1, output: 1 }])
    expect(all.price(usage, { provider: 'openai', model: 'm'.repeat(maxPricedName) })).toBe(1)
    expect(all.price(usage, { provider: 'openai', model: 'm'.repeat(maxPricedName + 1) })).toBeNull()
  })
})
