import { describe, expect, it } from 'vitest'
import { Semaphore } from '../../../src/engine/shared-store/semaphore.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

describe('semaphore', () => {
  it('are taken at once while there are any, and passed on in the order of coming', async () => {
    const semaphore = new Semaphore(2, new ManualClock())
    expect([semaphore.acquire(100), semaphore.acquire(100)]).toEqual([true, true])
    const order: string[] = []
    const enter = async (name: string) => {
      if (await semaphore.acquire(100)) order.push(name)
    }
    const waiting = [enter('first'), enter('second')]
    semaphore.release()
    await waiting[0]
    expect(order).toEqual(['first'])
    semaphore.release()
    await waiting[1]
    expect(order).toEqual(['first', 'second'])
    semaphore.release()
    semaphore.release()
    expect([semaphore.acquire(100), semaphore.acquire(100), semaphore.acquire(100)]).toEqual([true, true, expect.any(Promise)])
  })

  it('are waited for until the timeout, and not given to a caller that has gone', async () => {
    const clock = new ManualClock()
    const semaphore = new Semaphore(1, clock)
    void semaphore.acquire(0)
    const short = semaphore.acquire(50)
    const long = semaphore.acquire(100)
    clock.advance(50)
    expect(await short).toBe(false)
    semaphore.release()
    expect(await long).toBe(true)
    expect(clock.timers).toBe(0)
    semaphore.release()
    expect(semaphore.acquire(0)).toBe(true)
  })
})
