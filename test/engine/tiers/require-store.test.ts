import { describe, expect, it } from 'vitest'
import { answer, ask, openCache, question } from '../../support/chat.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

describe('a store that cannot be read', () => {
  it.each(['1s', 0] as const)('G18 lets memory answer, or not if the store is required: delay %s', async (invalidationDelay) => {
    const store = new ScriptedStore()
    const clock = new ManualClock()
    const open = (requireStore: boolean) => openCache({ store, clock, requireStore, invalidationDelay }).cache
    const [writer, lenient, strict] = [open(false), open(false), open(true)]
    await writer.store(question(), answer('old'))
    await writer.set('key', 'old')
    await writer.flush()
    const all = async () => [await ask(lenient), await ask(strict), await lenient.get('key'), await strict.get('key')]
    expect(await all()).toEqual(['old', 'old', 'old', 'old'])
    clock.advance(1_001)
    expect(await all()).toEqual(['old', 'old', 'old', 'old'])
    await writer.invalidate({ all: true })
    store.reads = 'rejects'
    for (let time = 0; time < 10; time++) {
      clock.advance(1_001)
      expect(await all()).toEqual(['old', undefined, 'old', undefined])
      expect(await strict.wrap('key', '1m', () => `new ${time}`)).toBe(`new ${time}`)
    }
    store.reads = 'works'
    // The first read finds out that the store answers again.
    clock.advance(10_000)
    await all()
    clock.advance(10_000)
    expect([await ask(lenient), await ask(strict), await lenient.get('key')]).toEqual([undefined, undefined, undefined])
  })

  it('G18 is an option that is true or false', () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    expect(() => openCache({ requireStore: 'yes' as unknown as boolean })).toThrow('"requireStore"')
  })
})
