import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isAnswer } from '../../../src/engine/tiers/sound-entry.ts'
import { openaiEndpoints } from '../../../src/providers/openai/endpoints.ts'
import { answer } from '../../support/chat.ts'
import { entryHead } from '../../support/entry-head.ts'

const head = entryHead({ storedAt: 0, ttl: 1_000 })

/** Whether an answer that is sound but for its headers is one. */
function isAnswerWith(headers: Readonly<Record<string, string>>): boolean {
  const endpoint = openaiEndpoints.find(({ name }) => name === 'chat.completions')
  return endpoint !== undefined && isAnswer({ head: { ...head, headers }, body: JSON.stringify(answer()) }, endpoint, () => false)
}

function canHave(headers: Readonly<Record<string, string>>): boolean {
  try {
    return new Response('', { headers: { ...headers } }).ok
  } catch {
    return false
  }
}

describe('the headers of a stored answer', () => {
  const anything = fc.string({ unit: fc.integer({ min: 0, max: 0x1_20 }).map((code) => String.fromCharCode(code)), maxLength: 3 })
  const name = fc.oneof(fc.constantFrom('x-request-id', 'content-type', "!#$%&'*+-.^_`|~09AZ"), anything)

  it('B11 are those that a Response can have, and no others', () => {
    fc.assert(
      fc.property(name, fc.oneof(anything, fc.string({ unit: 'binary' })), (given, value) => {
        const headers = { [given]: value }
        // Of line breaks around a value a Response takes no notice; in one that was stored there are none.
        fc.pre(value === value.trim())
        expect(isAnswerWith(headers)).toBe(canHave(headers))
      }),
      { numRuns: 1_000 },
    )
  })
})
