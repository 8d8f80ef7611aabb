import { describe, expect, it } from 'vitest'
import { answer, ask, openCache, question } from '../../support/chat.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

/** A generation in the store is replaced by these bytes after its invalidation. Then another process reads it. */
async function afterDamage(damaged: Uint8Array): Promise<{ before: unknown; after: unknown; longest: number }> {
  const clock = new ManualClock()
  const store = new ScriptedStore()
  const open = () => openCache({ store, clock }).cache
  const here = open()
  const asked = question('What is the answer?', { tags: ['doc'] })
  await here.store(asked, answer('outdated'))
  await here.flush()
  await here.invalidate({ tags: ['doc'] })
  for (const key of store.map.keys()) if (key.includes(':mark:')) store.map.set(key, damaged)
  const there = open()
  const before = await ask(there, asked)
  await there.store(asked, answer('new'))
  await there.flush()
  const after = await ask(open(), asked)
  return { before, after, longest: Math.max(...[...store.map.values()].map(({ byteLength }) => byteLength)) }
}

describe('a damaged generation', () => {
  it.each([
    ['empty', 0],
    ['cut short', 10],
    ['of the right length', 36],
    ['an entry of a megabyte', 2 ** 20],
  ])('B is never taken for none, and makes no entry longer: %s', async (_, length) => {
    const bytes = new Uint8Array(length).fill(120)
    const { before, after, longest } = await afterDamage(bytes)
    expect(before).toBeUndefined()
    // Processes that read the same damaged bytes agree on them, as on any other generation.
    expect(after).toBe('new')
    expect(longest).toBeLessThan(Math.max(2_000, length + 1))
  })
})
