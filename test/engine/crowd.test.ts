import { expect, it } from 'vitest'
import { createCache, engineOf } from '../../src/cache/cache.ts'
import { type CrowdRules, WaitingCrowd } from '../../src/engine/crowd.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { settle } from '../support/chat.ts'

function engine(): { readonly engine: Engine; readonly clock: ManualClock } {
  const clock = new ManualClock()
  const found = engineOf(createCache({ clock, logger: false, prices: false }))
  if (found === undefined) throw new TypeError('a cache without an engine')
  return { engine: found, clock }
}

function crowd() {
  const opened = engine()
  let closed = 0
  const rules: CrowdRules<unknown, undefined> = {
    isSame: () => true,
    isReadable: () => true,
    patience: () => 60_000,
    closed: () => void closed++,
  }
  const waiting = new WaitingCrowd<unknown, Uint8Array, undefined>(opened.engine, rules, undefined)
  return { ...opened, waiting, closed: () => closed }
}

it('lets its calls go their own way in the next turn if the first one has not come to the seam by then', async () => {
  const { clock, waiting, closed } = crowd()
  const first = waiting.join()
  const second = waiting.join()
  await settle()
  const result = await first
  expect(second).toBe(first)
  expect(result !== undefined && 'join' in result && result.join()).toBeUndefined()
  expect([waiting.join(), closed(), clock.timers]).toEqual([undefined, 1, 0])
})

it('waits on for one that has come there, until that has no flight', async () => {
  const { clock, waiting, closed } = crowd()
  const first = waiting.join()
  waiting.seen()
  await settle()
  const second = waiting.join()
  expect([second === first, closed(), clock.timers]).toEqual([true, 0, 1])
  waiting.close()
  expect(await second).toHaveProperty('join')
  expect([waiting.join(), closed(), clock.timers]).toEqual([undefined, 1, 0])
})

it('waits no longer than its callers have patience', async () => {
  const { clock, waiting } = crowd()
  const first = waiting.join()
  waiting.seen()
  clock.advance(60_000)
  expect(await first).toHaveProperty('join')
  expect(waiting.join()).toBeUndefined()
})
