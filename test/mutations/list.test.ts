import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { page } from '../docs/pages.ts'
import { top } from '../support/packed.ts'
import { mutations, withoutMutation } from './all.ts'
import { mutated, type Mutation } from './mutation.ts'
import { verdict } from './verdict.ts'

const ids = new Set(mutations.map(({ id }) => id))
const found = [...page('test/faults/README.md').matchAll(/^\| (G\d+) \|/gm)].map(([, id = '']) => id)

function ran(status: string, fullName: string, ...failureMessages: string[]) {
  return { status, fullName, failureMessages }
}

describe('the list of mutations', () => {
  it.each(mutations.map((each) => [`${each.id}: ${each.breaks}`, each] as const))('changes one place of its file: %s', (_, mutation) => {
    const source = readFileSync(join(top, mutation.file), 'utf8')
    expect(mutated(source, mutation)).not.toBe(source)
    expect(page(mutation.test)).toContain(mutation.id)
  })

  it('has every fault that was found in 0.1.0, or the reason why not', () => {
    expect(found.length).toBeGreaterThan(60)
    expect(found.filter((id) => !ids.has(id) && !(id in withoutMutation))).toEqual([])
  })

  it('has no id that the legend does not have, and none with a mutation and a reason to have none', () => {
    expect([...ids, ...Object.keys(withoutMutation)].filter((id) => !found.includes(id))).toEqual([])
    expect(Object.keys(withoutMutation).filter((id) => ids.has(id))).toEqual([])
  })
})

describe('a mutation', () => {
  const mutation: Mutation = { id: 'G01', breaks: 'a rule', file: 'a.ts', find: 'if (isOurs)', put: 'if (true)', test: 'a.test.ts' }

  it('changes the one place that has its text', () => {
    expect(mutated('a\nif (isOurs) b', mutation)).toBe('a\nif (true) b')
  })

  it.each([
    ['', 'not in a.ts'],
    ['if (isOurs) a\nif (isOurs) b', '2 times in a.ts'],
  ])('is an error where its text is not there once: %j', (source, message) => {
    expect(() => mutated(source, mutation)).toThrow(message)
  })
})

describe('the verdict', () => {
  const report = (...assertionResults: ReturnType<typeof ran>[]) => ({ testResults: [{ assertionResults }] })
  const failed = ran('failed', 'a call G01 is a miss', 'AssertionError: expected 1 to be 2')

  it.each([
    ['killed', report(ran('passed', 'G01 one'), failed)],
    ['survived', report(ran('passed', 'G01 one'), ran('skipped', 'G02 two'))],
    ['survived', report(ran('passed', 'G01 one'), ran('failed', 'G02 two', 'AssertionError'))],
    ['error', report(ran('skipped', 'G01 one'))],
    ['error', report(ran('passed', 'G011 one'))],
    ['error', report(ran('failed', 'G01 one', 'Error: Test timed out in 60000ms.'))],
    ['error', { testResults: [{ assertionResults: [], message: 'SyntaxError: Unexpected token' }] }],
  ])('is %s, case %#', (outcome, given) => {
    expect(verdict(given, { ids: ['G01'] }).outcome).toBe(outcome)
  })

  it('takes a time-out for a failure only of a test that is known to hang', () => {
    const given = report(ran('failed', 'G01 one', 'Error: Test timed out in 60000ms.'))
    expect([false, true].map((hangs) => verdict(given, { ids: ['G01'], hangs }).outcome)).toEqual(['error', 'killed'])
  })
})
