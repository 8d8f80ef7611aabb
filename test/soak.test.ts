import { describe, expect, it } from 'vitest'
import { type Deeds, judge } from './soak/judge.ts'
import { type Declared, invalidationDelay, type Served, ttl } from './soak/messages.ts'
import { tableOf, verdictOf } from './soak/report.ts'
import { soak } from './soak/run.ts'

/** An answer to question 0, whose label is `tag:a`, that memory served at once. */
function served(made: number, begun: number, rest: Partial<Served> = {}): Served {
  return { question: 0, source: 'memory', made, begun, ended: begun + 1, origin: 0, blind: false, ...rest }
}

function declared(begun: number, ended: number, known = true): Declared {
  return { label: 'tag:a', begun, ended, known }
}

function judged(
  processes: readonly Partial<Deeds>[],
  losses: readonly number[] = [],
  requireStore = false,
): { outdated: number; late: number; unknowing: number } {
  const deeds = processes.map(({ served = [], declared = [] }) => ({ served, declared }))
  const { outdated, late, unknowing } = judge(deeds, { labelsOf: () => ['all', 'tag:a'], losses, requireStore })
  return { outdated: outdated.length, late: late.length, unknowing }
}

const fine = { outdated: 0, late: 0, unknowing: 0 }

describe('the judge of a soak', () => {
  const heeded = 1_010 + invalidationDelay

  it('finds what was served in spite of an invalidation by another process', () => {
    const there = { declared: [declared(1_000, 1_010)] }
    expect(judged([there, { served: [served(999, heeded + 1)] }])).toEqual({ ...fine, outdated: 1 })
    expect(judged([there, { served: [served(999, heeded - 1), served(1_001, heeded + 1)] }])).toEqual(fine)
    expect(judged([there, { served: [served(999, heeded + 1, { blind: true })] }])).toEqual({ ...fine, unknowing: 1 })
    expect(judged([there, { served: [served(999, heeded + 1, { blind: true })] }], [], true)).toEqual({ ...fine, outdated: 1 })
    expect(judged([{ declared: [declared(1_000, 1_010, false)] }, { served: [served(999, heeded + 1)] }])).toEqual(fine)
  })

  it('blames what Redis has lost only on the process that declared it', () => {
    const all = [{ declared: [declared(1_000, 1_010)] }, { served: [served(999, heeded + 1)] }]
    expect(judged(all, [1_500])).toEqual(fine)
    expect(judged(all, [900])).toEqual({ ...fine, outdated: 1 })
    expect(judged(all, [heeded + 100])).toEqual({ ...fine, outdated: 1 })
    expect(judged([{ declared: [declared(1_000, 1_010)], served: [served(999, heeded + 1)] }], [1_500])).toEqual({ ...fine, outdated: 1 })
  })

  it.each([true, false])('finds what was served in spite of an invalidation of its own, of which the store knows: %s', (known) => {
    const own = [declared(1_000, 3_000, known)]
    expect(judged([{ declared: own, served: [served(999, 1_001, { blind: true })] }])).toEqual({ ...fine, outdated: 1 })
    expect(judged([{ declared: own, served: [served(999, 1_000), served(1_001, 1_002)] }])).toEqual(fine)
  })

  it('finds answers past their TTL, and calls that waited too long', () => {
    expect(judged([{ served: [served(0, ttl + 10_000)] }])).toEqual({ ...fine, outdated: 1 })
    expect(judged([{ served: [served(0, 1, { ended: 10_000 })] }])).toEqual({ ...fine, late: 1 })
    expect(judged([{ served: [served(0, 1, { ended: 10_000, origin: 9_000 })] }])).toEqual(fine)
  })
})

describe('a short soak', () => {
  it.each([false, true])(
    'of two processes, Redis killed once, the network cut once: no fault; Redis is required: %s',
    async (requireStore) => {
      const lines: string[] = []
      // The soak by hand judges how long callers wait. Here the machine is busy with other tests.
      const options = { seed: 5, seconds: 4, processes: 2, callers: 16, kills: 1, cuts: 1, allowance: 60_000, requireStore }
      const soaked = await soak(options, (line) => lines.push(line))
      const { failed, wrong, outdated } = soaked
      expect({ failed, wrong, outdated }).toEqual({ failed: [], wrong: [], outdated: [] })
      expect(lines.join('\n')).toMatch(/Redis is killed[^]*black hole|black hole[^]*Redis is killed/)
      // It is a soak only when every place had its share, and something was declared outdated.
      const sources = new Set(soaked.processes.flatMap((each) => each.served.map(({ source }) => source)))
      expect([...sources]).toEqual(expect.arrayContaining(['memory', 'origin', 'redis']))
      expect(soaked.processes.flatMap((each) => each.declared).length).toBeGreaterThan(0)
      expect(verdictOf(soaked)).toBe('0 failed, 0 wrong, 0 outdated')
      expect(tableOf(soaked)).toContain('% memory')
    },
  )
})
