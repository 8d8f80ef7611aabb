import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { differ, explainKey } from '../../src/key/explain.ts'
import { deriveKey, type KeyParts, keyText } from '../../src/key/key.ts'
import { neighbours, reversed, values } from '../support/json-values.ts'

const base: KeyParts = {
  namespace: 'bot',
  scope: 'acme',
  provider: 'openai',
  origin: 'https://api.openai.com/v1',
  endpoint: 'chat.completions',
  headers: { 'openai-beta': 'a' },
  request: {
    model: 'gpt-5-mini',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Why?' },
    ],
  },
  context: { project: 'atlas' },
  variant: 0,
}
const options = { longText: 20 }
const asking = (request: unknown, other: Partial<KeyParts> = {}): KeyParts => ({ ...base, ...other, request })

describe('explainKey', () => {
  it('shows each part as it enters the key, and long texts as their digest', () => {
    const { key, parts } = explainKey(asking({ b: 'x'.repeat(21), a: 1 }), options)
    expect(key).toBe(deriveKey(asking({ b: 'x'.repeat(21), a: 1 }), options))
    expect(parts.scope).toBe('"acme"')
    expect(parts.headers).toBe('{"openai-beta":"a"}')
    expect(parts.context).toBe('{"project":"atlas"}')
    expect(parts.variant).toBe('0')
    const digest = createHash('sha256').update('x'.repeat(21)).digest('hex')
    expect(parts.request).toBe(`{"a":1,"b":{"$text":["${digest}",21]}}`)
  })

  it('shows exactly what the key is made of, in order', () => {
    fc.assert(
      fc.property(values, values, (request, context) => {
        const parts = asking(request, { context })
        expect(`["llmemo",1,${Object.values(explainKey(parts, options).parts).join(',')}]`).toBe(keyText(parts, options))
      }),
    )
  })
})

describe('differ', () => {
  it.each<[string, KeyParts, string, string | undefined, string | undefined]>([
    ['a leaf', asking({ messages: [{ content: 'Why?' }] }), 'request.messages[0].content', '"How?"', '"Why?"'],
    ['a kind', asking({ messages: 'How?' }), 'request.messages', '[{"content":"How?"}]', '"How?"'],
    [
      'an array for an object',
      asking({ messages: { 0: { content: 'How?' } } }),
      'request.messages',
      '[{"content":"How?"}]',
      '{"0":{"content":"How?"}}',
    ],
    ['a member more', asking({ messages: [{ content: 'How?' }], seed: 1 }), 'request.seed', undefined, '1'],
    ['a member less', asking({}), 'request.messages', '[{"content":"How?"}]', undefined],
    ['an element more', asking({ messages: [{ content: 'How?' }, []] }), 'request.messages[1]', undefined, '[]'],
    ['an element less', asking({ messages: [] }), 'request.messages[0]', '{"content":"How?"}', undefined],
    ['null', asking({ messages: [{ content: null }] }), 'request.messages[0].content', '"How?"', 'null'],
    [
      'a name that is not an identifier',
      asking({ messages: [{ content: 'How?', 'a b': 1 }] }),
      'request.messages[0]["a b"]',
      undefined,
      '1',
    ],
  ])('finds %s', (_, second, path, at, there) => {
    expect(differ(asking({ messages: [{ content: 'How?' }] }), second, options)).toEqual({ same: false, path, first: at, second: there })
  })

  it('compares in the order of the parts, and within a part in the order of names', () => {
    const other = asking({ z: 1, a: 1 }, { variant: 1, context: null, scope: 'other', headers: {} })
    expect(differ(asking({ z: 2, a: 2 }), other, options).path).toBe('scope')
    expect(differ(asking({ z: 2, a: 2 }), { ...other, scope: 'acme' }, options).path).toBe('headers.openai-beta')
    expect(differ(asking({ z: 2, a: 2 }), asking({ z: 1, a: 1 }), options).path).toBe('request.a')
    expect(differ(base, { ...base, context: null }, options)).toEqual({
      same: false,
      path: 'context',
      first: '{"project":"atlas"}',
      second: 'null',
    })
    expect(differ(base, { ...base, variant: 1 }, options)).toEqual({ same: false, path: 'variant', first: '0', second: '1' })
  })

  it('shows long texts as digests, and bytes and dates as a whole', () => {
    expect(differ(asking('x'.repeat(21)), asking('y'.repeat(21)), options).first).toMatch(/^\{"\$text":\["[0-9a-f]{64}",21\]\}$/)
    expect(differ(asking([new Uint8Array([1])]), asking([new Uint8Array([2])]), options).path).toBe('request[0]')
    expect(differ(asking([new Date(0)]), asking([new Date(1)]), { longText: 1_000 })).toEqual({
      same: false,
      path: 'request[0]',
      first: '"1970-01-01T00:00:00.000Z"',
      second: '"1970-01-01T00:00:00.001Z"',
    })
  })

  it('finds no difference between requests with the same key', () => {
    expect(differ(asking({ a: 1, b: undefined, c: 'x' }), asking({ c: 'x', a: 1 }), options)).toEqual({ same: true })
    expect(differ(base, { ...base, context: undefined }, options).path).toBe('context')
    expect(differ({ ...base, context: null }, { ...base, context: undefined }, options)).toEqual({ same: true })
    const folding = { ...options, text: (text: string) => text.toLowerCase() }
    expect(differ(asking(['A']), asking(['a']), folding)).toEqual({ same: true })
    expect(differ(base, { ...base, scope: 'ACME' }, folding).path).toBe('scope')
  })

  it('T03 finds two requests equal exactly if their keys are equal', () => {
    fc.assert(
      fc.property(values, (value) => {
        for (const other of [reversed(value), ...neighbours(value)]) {
          const same = deriveKey(asking(value), options) === deriveKey(asking(other), options)
          const found = differ(asking(value), asking(other), options)
          expect(found.same).toBe(same)
          expect(found.path === undefined).toBe(same)
          expect(found.first === found.second).toBe(same)
        }
      }),
    )
  })

  it('I7 names the place, but not the text, of a value that can have no key', () => {
    expect(() => differ(asking({ messages: ['secret', Number.NaN] }), base, options)).toThrow(
      expect.objectContaining({ path: 'request.messages[1]', message: expect.not.stringContaining('secret') }),
    )
  })
})
