import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import canonicalize from 'canonicalize'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NotKeyableError } from '../../src/errors.ts'
import { deriveKey, type KeyParts, keyText, partNames } from '../../src/key/key.ts'
import { isJsonObject } from '../../src/json/object.ts'
import { placeOf } from '../../src/json/places.ts'
import { endpointsOf, protocolOf, providers } from '../../src/providers/catalogue.ts'
import { changedAt } from '../support/json-values.ts'

interface Vector {
  readonly name: string
  readonly longText: number
  readonly parts: KeyParts
  readonly bytes?: { readonly path: readonly string[]; readonly hex: string }
  readonly text: string
  readonly key: string
}

// The published file describes its own content; these tests check the description.
const published: { version: number; places: Readonly<Record<string, readonly string[]>>; vectors: readonly Vector[] } = JSON.parse(
  readFileSync(new URL('../vectors/key-v1.json', import.meta.url), 'utf8'),
)
const { vectors } = published

const unorderedIn = ({ parts }: Vector): readonly string[] => published.places[`${parts.provider} ${parts.endpoint}`] ?? []
const optionsOf = (vector: Vector) => ({ longText: vector.longText, place: placeOf({ unordered: unorderedIn(vector), prose: [] }) })

/** Another implementation of the published description, for texts without `$`: RFC 8785, except for objects at places that are not listed. */
function written(value: unknown, unordered: readonly string[], path?: string): string {
  if (Array.isArray(value)) return `[${value.map((each) => written(each, unordered, path)).join(',')}]`
  if (!isJsonObject(value)) return canonicalize(value) ?? ''
  const isSorted = path === undefined || unordered.some((each) => each === path || each.startsWith(`${path}.`))
  const names = Object.keys(value).filter((name) => value[name] !== undefined)
  const inOrder = isSorted ? names.toSorted((first, second) => (first < second ? -1 : 1)) : names
  const members = inOrder.map(
    (name) => `${canonicalize(name)}:${written(value[name], unordered, path === undefined ? name : `${path}.${name}`)}`,
  )
  return `{${members.join(',')}}`
}

/** A vector's parts, with its bytes put into their places. */
function partsOf({ parts, bytes }: Vector): KeyParts {
  if (bytes === undefined) return parts
  return { ...parts, ...Object(changedAt(parts, bytes.path, () => Buffer.from(bytes.hex, 'hex'))) }
}

const base: KeyParts = {
  namespace: 'bot',
  scope: 'acme',
  provider: 'openai',
  origin: 'https://api.openai.com/v1',
  endpoint: 'chat.completions',
  headers: {},
  request: { model: 'gpt-5-mini', messages: [{ role: 'user', content: 'What is the answer?' }] },
  context: null,
  variant: 0,
}
const options = { longText: 1_000 }

describe('the published vectors of the key v1', () => {
  it('are many, and each has its own name', () => {
    expect(published.version).toBe(1)
    expect(vectors.length).toBeGreaterThan(50)
    expect(new Set(vectors.map(({ name }) => name)).size).toBe(vectors.length)
  })

  it.each(vectors)('T03 $name', (vector) => {
    const { text, key } = vector
    expect(keyText(partsOf(vector), optionsOf(vector))).toBe(text)
    expect(deriveKey(partsOf(vector), optionsOf(vector))).toBe(key)
  })

  it.each(vectors)('T08 is the whole SHA-256 of the text: $name', ({ text, key }) => {
    expect(key).toBe(createHash('sha256').update(text).digest('hex'))
    expect(key).toMatch(/^[0-9a-f]{64}$/)
  })

  it.each(vectors.filter(({ text }) => !text.includes('"$')))('agrees with another implementation of RFC 8785: $name', (vector) => {
    const { parts } = vector
    const texts = partNames.map((name) =>
      name === 'request' ? written(parts.request, unorderedIn(vector)) : canonicalize(parts[name] ?? null),
    )
    expect(keyText(parts, optionsOf(vector))).toBe(`["llmemo",1,${texts.join(',')}]`)
  })

  it('G07 list the sorted places of every endpoint', async () => {
    await Promise.all(providers.map(protocolOf))
    const places = providers.flatMap((provider) =>
      endpointsOf(provider).map(({ provider, name, place }) => [`${provider} ${name}`, place?.table.unordered ?? []] as const),
    )
    expect(published.places).toEqual(Object.fromEntries(places))
  })

  it('list the requests that share a key', () => {
    const names = new Map<string, string[]>()
    for (const { key, name } of vectors) names.set(key, [...(names.get(key) ?? []), name])
    expect([...names.values()].filter((same) => same.length > 1)).toEqual([
      ['plain', 'context null: none', 'context absent: the same as null'],
      ['members in one order', 'members in another order: the same key'],
      ['number 1', 'number 1.0: the same key as 1'],
      ['schema in one order', 'objects of the protocol in another order: the key of the schema in one order'],
    ])
  })
})

describe('deriveKey', () => {
  it('T01 gives any two different lists of parts different keys', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.constantFrom('', ':', '::', '|', '\u0000', '","', '"', '\\', '\\"', ',', '[', ']', '__proto__', 'null', '0'),
    )
    const parts = fc.record({ namespace: text, scope: text, provider: text, origin: text, endpoint: text, context: fc.option(text) })
    fc.assert(
      fc.property(parts, parts, (first, second) => {
        const same = Object.entries(first).every(([name, value]) => Reflect.get(second, name) === value)
        expect(deriveKey({ ...base, ...first }, options) === deriveKey({ ...base, ...second }, options)).toBe(same)
      }),
    )
  })

  it('T01 gives another key when text moves from one part into the next', () => {
    const keys = ['', ':', '\u0000', '","', '"', '\\'].flatMap((between) =>
      ['acme', 'acm', ''].map((scope) =>
        deriveKey({ ...base, namespace: `${'acme'.slice(scope.length)}${between}`, scope: `${between}${scope}` }, options),
      ),
    )
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('T02 folds the texts of the request, but never those of the scope or the origin', () => {
    const folding = { ...options, text: (text: string) => text.toLowerCase() }
    const key = deriveKey(base, folding)
    const question = { model: 'gpt-5-mini', messages: [{ role: 'user', content: 'WHAT is the answer?' }] }
    expect(deriveKey({ ...base, request: question }, folding)).toBe(key)
    for (const other of [
      { scope: 'ACME' },
      { namespace: 'Bot' },
      { origin: 'https://api.openai.com/V1' },
      { headers: { a: 'X' } },
      { context: 'X' },
    ]) {
      const lower = Object.fromEntries(
        Object.entries(other).map(([name, value]) => [name, typeof value === 'string' ? value.toLowerCase() : { a: 'x' }]),
      )
      expect(deriveKey({ ...base, ...other }, folding)).not.toBe(deriveKey({ ...base, ...lower }, folding))
    }
  })

  it.each([
    ['request.messages[0].content', { request: { messages: [{ content: 1n }] } }],
    ['context', { context: () => 'x' }],
    ['scope', { scope: '\uD800' }],
    ['variant', { variant: Number.NaN }],
  ])('T02 names the place of a value that can have no key: %s', (path, spoilt) => {
    expect(() => deriveKey({ ...base, ...spoilt }, options)).toThrow(expect.objectContaining({ name: 'NotKeyableError', path }))
    expect(() => deriveKey({ ...base, ...spoilt }, options)).toThrow(NotKeyableError)
  })
})
