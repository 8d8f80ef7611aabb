import { describe, expect, it } from 'vitest'
import { Slots } from '../../../src/engine/shared-store/semaphore.ts'
import { ManualClock } from '../../support/manual-clock.ts'

describe('slots', () => {
  it('are taken at once while there are any, and passed on in the order of coming', async () => {
    const slots = new Slots(2, new ManualClock())
    expect([slots.enter(100), slots.enter(100)]).toEqual([true, true])
    const order: string[] = []
    const enter = async (name: string) => {
      if (await slots.enter(100)) order.push(name)
    }
    const waiting = [enter('first'), enter('second')]
    slots.leave()
    await waiting[0]
    expect(order).toEqual(['first'])
    slots.leave()
    await waiting[1]
    expect(order).toEqual(['first', 'second'])
    slots.leave()
    slots.leave()
    expect([slots.enter(100), slots.enter(100), slots.enter(100)]).toEqual([true, true, expect.any(Promise)])
  })

  it('are not waited for longer than one can, and not given to who is gone', async () => {
    const clock = new ManualClock()
    const slots = new Slots(1, clock)
    void slots.enter(0)
    const short = slots.enter(50)
    const long = slots.enter(100)
    clock.advance(50)
    expect(await short).toBe(false)
    slots.leave()
    expect(await long).toBe(true)
    expect(clock.timers).toBe(0)
    slots.leave()
    expect(slots.enter(0)).toBe(true)
  })
})
