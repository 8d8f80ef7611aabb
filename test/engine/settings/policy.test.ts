import { describe, expect, it } from 'vitest'
import { type AnswerFacts, skipReason, type StorePolicy } from '../../../src/engine/settings/policy.ts'
import { InvalidOptionError } from '../../../src/errors.ts'
import { answer, ask, openCache, question } from '../../support/chat.ts'

const facts: AnswerFacts = {
  provider: 'openai',
  endpoint: 'chat.completions',
  operation: 'chat',
  model: 'gpt-5-mini',
  streamed: false,
  bytes: 10,
  usage: undefined,
  reason: undefined,
  body: () => ({}),
}

function decide(policy: unknown, reason?: string): { reason: string | undefined; failed: unknown[] } {
  const failed: unknown[] = []
  // What a policy written in JavaScript can be.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { reason: skipReason(policy as StorePolicy | undefined, { ...facts, reason }, (error) => failed.push(error)), failed }
}

describe('a policy', () => {
  it('is the verdict of the provider when there is none', () => {
    expect(decide(undefined).reason).toBeUndefined()
    expect(decide(undefined, 'length').reason).toBe('length')
  })

  it('has the last word either way', () => {
    expect(decide(() => true, 'length').reason).toBeUndefined()
    expect(decide(() => false, 'length').reason).toBe('length')
    expect(decide(() => false).reason).toBe('policy')
  })

  it('P06 G49 that throws stores nothing', () => {
    const oops = new Error('oops')
    const throws = (): never => {
      throw oops
    }
    expect(decide(throws)).toEqual({ reason: 'policy', failed: [oops] })
    expect(decide(throws, 'length')).toEqual({ reason: 'length', failed: [oops] })
  })

  it('P06 G49 that promises its answer stores nothing, however the promise ends', async () => {
    const kept = decide(() => Promise.resolve(true), 'length')
    expect(kept.reason).toBe('length')
    expect(kept.failed).toEqual([expect.any(InvalidOptionError)])
    const broken = decide(() => Promise.reject(new Error('oops')))
    await Promise.resolve()
    expect(broken.reason).toBe('policy')
    expect(broken.failed).toHaveLength(2)
  })
})

describe("a cache's policy", () => {
  it('is told what is known of the answer, and nothing of its text', async () => {
    const asked: AnswerFacts[] = []
    const { cache } = openCache({ policy: (given) => asked.push(given) > 0 })
    await cache.store(question('secret question', { operation: 'qa' }), answer('secret answer', 'length'))
    expect(asked).toEqual([
      {
        provider: 'openai',
        endpoint: 'chat.completions',
        operation: 'qa',
        model: 'gpt-5-mini-2025-08-07',
        streamed: false,
        bytes: JSON.stringify(answer('secret answer', 'length')).length,
        usage: { input: 9, output: 12 },
        reason: 'length',
      },
    ])
    expect(await ask(cache, question('secret question', { operation: 'qa' }))).toBe('secret answer')
  })

  it('keeps out what it does not want, under the name of the reason', async () => {
    const { cache } = openCache({ policy: ({ bytes }) => bytes < 10 })
    const info = await cache.store(question(), answer())
    expect(info).toMatchObject({ stored: false, reason: 'policy', ttl: 0 })
    expect(await ask(cache)).toBeUndefined()
    expect(cache.stats().skipped).toEqual({ policy: 1 })
  })

  it.each<[name: string, policy: unknown, line: RegExp]>([
    [
      'is async',
      async () => true,
      /"policy" is a function that returns a promise; allowed is one that returns true or false at once\. No answer is stored/,
    ],
    ['rejects', () => Promise.reject(new Error('hunter2')), /returns a promise/],
    [
      'throws',
      () => {
        throw new Error('hunter2')
      },
      /the policy failed \(Error\)\. No answer is stored/,
    ],
  ])('G49 that %s stores nothing, and says so once', async (_, policy, line) => {
    const options: object = { policy }
    const { cache, told } = openCache(options)
    for (let time = 0; time < 3; time++) {
      expect(await cache.store(question(), answer())).toMatchObject({ stored: false, reason: 'policy' })
      expect(await ask(cache)).toBeUndefined()
    }
    expect(told.lines).toEqual([expect.stringMatching(line)])
    expect(told.lines.join('\n')).not.toContain('hunter2')
  })
})
