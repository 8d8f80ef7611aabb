/**
 * JSON values to try keys with, and every small change that one can undergo.
 * @module
 */
import * as fc from 'fast-check'

/** A place in a value: the names and indices on the way to it. */
export type Place = readonly (string | number)[]

const digest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const sly = [
  `{"$text":["${digest}",1]}`,
  `{"$bytes":["${digest}",0]}`,
  `["${digest}",1]`,
  '"',
  '\\',
  '","',
  '\\"',
  '}',
  'null',
  '1',
  '\u0000',
  '\u2028',
  '😀'.repeat(9),
]
const slyNames = ['$text', '$bytes', '$$text', '$', '__proto__', 'constructor', 'toString', '', '10', '9', 'a":1,"b', '\r', '\uFB33', '😀']

/** Texts, among them such as were made to be taken for something else. */
const texts = fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.constantFrom(...sly))
const names = fc.oneof(fc.string({ unit: 'binary', maxLength: 5 }), fc.constantFrom(...slyNames))
const leaves = fc.oneof(
  texts,
  fc.constantFrom(null, true, false, 0, -0, 1, 1e21, 1e-7),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)

/** Member names without a `$`, of which plain RFC 8785 knows no use. */
export const plainNames = names.filter((name) => !name.includes('$'))

/** Any JSON value, as `JSON.parse` would give it. */
export const values: fc.Arbitrary<unknown> = jsonOf(names)

/** Those whose member names are {@link plainNames}. */
export const plainValues: fc.Arbitrary<unknown> = jsonOf(plainNames)

function jsonOf(memberNames: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaves,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.uniqueArray(fc.tuple(memberNames, tie('value')), { selector: ([name]) => name, maxLength: 5 }).map(membersToObject),
    ),
  }))
  return value.map(asJson)
}

/** `Object.fromEntries` defines its members, so `__proto__` becomes one like any other. */
function membersToObject(members: readonly (readonly [string, unknown])[]): object {
  return Object.fromEntries(members)
}

/** `value` as it is after a way over the wire. */
export function asJson(value: unknown): unknown {
  const json: unknown = JSON.parse(JSON.stringify(value))
  return json
}

/** Every place in `value`, itself included. */
export function placesIn(value: unknown, place: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [place]
  const inner = Array.isArray(value)
    ? value.flatMap((element, index) => placesIn(element, [...place, index]))
    : Object.entries(value).flatMap(([name, member]) => placesIn(member, [...place, name]))
  return [place, ...inner]
}

/** `value` with the members of every object in reverse. */
export function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(reversed)
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, member]): [string, unknown] => [name, reversed(member)])
      .toReversed(),
  )
}

/** A copy of `value` with what `change` makes of what stands at `place`. */
export function changedAt(value: unknown, place: Place, change: (at: unknown) => unknown): unknown {
  const [step, ...rest] = place
  if (step === undefined) return change(value)
  if (Array.isArray(value)) return value.map((element, index): unknown => (index === step ? changedAt(element, rest, change) : element))
  return Object.fromEntries(
    Object.entries(Object(value)).map(([name, member]): [string, unknown] => [
      name,
      name === step ? changedAt(member, rest, change) : member,
    ]),
  )
}

/** Every value that differs from `value` in one small thing: a leaf, a member or an element more or less, an order, a kind. */
export function neighbours(value: unknown): unknown[] {
  return placesIn(value).flatMap((place) => {
    const changes: ((at: unknown) => unknown)[] = [(at) => [at], (at) => ({ at })]
    changes.push((at) => {
      if (typeof at === 'string') return `${at}.`
      if (typeof at === 'number') return at === 0 ? 1 : -at
      if (typeof at === 'boolean') return !at
      if (at === null) return 'null'
      return Array.isArray(at) ? [...at, null] : { ...at, 'one more': null }
    })
    changes.push((at) => {
      if (typeof at === 'number' || typeof at === 'boolean' || at === null) return String(at)
      if (typeof at === 'string') return at === '' ? ' ' : at.slice(0, Array.from(at).at(-1)?.length === 2 ? -2 : -1)
      if (Array.isArray(at)) return at.length === 0 ? {} : at.slice(1)
      return Object.keys(Object(at)).length === 0 ? [] : Object.fromEntries(Object.entries(Object(at)).slice(1))
    })
    return changes.map((change) => changedAt(value, place, change))
  })
}
