import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CircuitBreaker } from '../../../src/engine/shared-store/circuit-breaker.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

function setup(failures = 3, pause = 1_000) {
  const clock = new ManualClock()
  const changes: boolean[] = []
  return { clock, changes, breaker: new CircuitBreaker({ failures, probeDelay: pause }, clock, (usable) => changes.push(usable)) }
}

/** Lets it fail as often as it says that it may be tried. */
function fail(breaker: CircuitBreaker, times: number): void {
  for (let time = 0; time < times; time++) if (breaker.tryAcquire()) breaker.failed()
}

describe('a breaker', () => {
  it('opens after so many failures in a row, and not before', () => {
    const { breaker, changes } = setup()
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)
    expect([breaker.tryAcquire(), changes]).toEqual([true, []])
    fail(breaker, 1)
    expect([breaker.tryAcquire(), changes]).toEqual([false, [false]])
  })

  it('R05 lets exactly one of many through when its pause is over', () => {
    const { breaker, clock, changes } = setup()
    fail(breaker, 3)
    clock.advance(999)
    expect(breaker.tryAcquire()).toBe(false)
    clock.advance(1)
    expect(Array.from({ length: 1_000 }, () => breaker.tryAcquire()).filter(Boolean)).toHaveLength(1)
    breaker.succeeded()
    expect(Array.from({ length: 1_000 }, () => breaker.tryAcquire()).filter(Boolean)).toHaveLength(1_000)
    expect(changes).toEqual([false, true])
  })

  it('pauses twice as long after each probe that fails, up to sixteen-fold', () => {
    const { breaker, clock, changes } = setup()
    fail(breaker, 3)
    const pauses: number[] = []
    for (let probe = 0; probe < 7; probe++) {
      let paused = 0
      while (!breaker.tryAcquire()) {
        clock.advance(500)
        paused += 500
      }
      pauses.push(paused)
      breaker.failed()
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 16_000, 16_000])
    expect(changes).toEqual([false])
  })

  it('starts over once it has closed: with the short pause, and at no failures', () => {
    const { breaker, clock, changes } = setup()
    fail(breaker, 3)
    clock.advance(1_000)
    fail(breaker, 1)
    clock.advance(2_000)
    expect(breaker.tryAcquire()).toBe(true)
    breaker.succeeded()
    fail(breaker, 2)
    expect(changes).toEqual([false, true])
    fail(breaker, 1)
    clock.advance(1_000)
    expect(breaker.tryAcquire()).toBe(true)
  })

  it('is not held open by what was under way when it opened', () => {
    const { breaker, clock } = setup()
    fail(breaker, 3)
    for (let late = 0; late < 64; late++) breaker.failed()
    clock.advance(1_000)
    expect(breaker.tryAcquire()).toBe(true)
  })

  it('lets another one probe when a probe was withdrawn, and counts that for nothing', () => {
    const { breaker, clock, changes } = setup()
    fail(breaker, 2)
    breaker.withdrawn()
    fail(breaker, 1)
    clock.advance(1_000)
    expect([breaker.tryAcquire(), breaker.tryAcquire()]).toEqual([true, false])
    breaker.withdrawn()
    expect([breaker.tryAcquire(), breaker.tryAcquire()]).toEqual([true, false])
    expect(changes).toEqual([false])
  })

  it('R06 has one change to tell of in a hundred thousand refused calls, and no timer', () => {
    const { breaker, clock, changes } = setup()
    for (let call = 0; call < 100_000; call++) fail(breaker, 1)
    expect(changes).toEqual([false])
    expect(clock.timers).toBe(0)
  })

  it('never tells of a state twice, and is never open for ever, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom('fail', 'succeed'), fc.nat(20_000))), (steps) => {
        const { breaker, clock, changes } = setup()
        for (const step of steps) {
          if (typeof step === 'number') clock.advance(step)
          else if (!breaker.tryAcquire()) continue
          else if (step === 'fail') breaker.failed()
          else breaker.succeeded()
        }
        expect(changes).toEqual(changes.map((_, index) => index % 2 === 1))
        clock.advance(16_000)
        expect(breaker.tryAcquire()).toBe(true)
      }),
    )
  })
})
