/**
 * A secret to plant, and the search for it in what came out.
 * @module
 */
import { inspect } from 'node:util'

/** What is planted. Each kind is a text of its own, so that a find says what leaked. */
export type Secret = 'prompt' | 'answer' | 'key' | 'token' | 'url' | 'password' | 'context' | 'name'

/** No source, no package and no id holds this text by chance. With digits and capitals, as keys have them. */
const core = 'xQ7zK3vJ'

/** A text to plant. Each piece of a dozen characters betrays it. */
export function secret(kind: Secret): string {
  return `${core}${kind}${core}`
}

/** 32 bytes that are a key of encryption, in which the marker lies. */
export const keyBytes: Uint8Array = new TextEncoder().encode(core.repeat(4))

/** The marker in every form in which it could leave: as it is, as hex, and as base64 from each of its three places in a group. */
const forms: readonly string[] = [
  core,
  Buffer.from(core).toString('hex'),
  ...[0, 1, 2].map((offset) => {
    const whole = Buffer.from(`${'-'.repeat(offset)}${core}`).toString('base64')
    return whole.slice(Math.ceil((offset * 4) / 3), -4)
  }),
  [...Buffer.from(core)].join(', '),
  [...Buffer.from(core)].join(','),
]

function holds(text: string): boolean {
  return forms.some((form) => text.includes(form) || text.toLowerCase().includes(form.toLowerCase()))
}

/** Everywhere in `value` that the marker is: in members of all kinds, in what is printed of it, in its JSON. Empty when it is nowhere. */
export function tracesIn(value: unknown): string[] {
  return [...new Set([...printed(value), ...walked(value, 'value', new Set())])]
}

function* printed(value: unknown): Generator<string> {
  const ways: Readonly<Record<string, () => unknown>> = {
    'String()': () => String(value),
    'JSON.stringify()': () => JSON.stringify(value),
    'inspect()': () => inspect(value),
    'inspect() with all that is hidden': () =>
      inspect(value, { showHidden: true, depth: 40, maxArrayLength: null, maxStringLength: null, compact: 100, breakLength: Infinity }),
  }
  for (const [way, print] of Object.entries(ways)) {
    let text: unknown
    try {
      text = print()
    } catch {
      // What cannot be printed shows nothing.
      continue
    }
    if (typeof text === 'string' && holds(text)) yield way
  }
}

function* walked(value: unknown, path: string, seen: Set<unknown>): Generator<string> {
  if (typeof value === 'string') {
    if (holds(value)) yield path
    return
  }
  if (typeof value === 'symbol') yield* walked(value.description, `${path}.description`, seen)
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return
  seen.add(value)
  if (ArrayBuffer.isView(value)) {
    yield* walked(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1'), `${path} as bytes`, seen)
    return
  }
  if (value instanceof Map || value instanceof Set) yield* walked([...value], `${path}.entries`, seen)
  for (const name of Reflect.ownKeys(value)) {
    const below = `${path}.${String(name)}`
    yield* walked(name, `${below} (the name)`, seen)
    const member = Object.getOwnPropertyDescriptor(value, name)
    yield* walked(member?.get === undefined ? member?.value : valueOf(value, name), below, seen)
  }
}

function valueOf(object: object, name: PropertyKey): unknown {
  try {
    return Reflect.get(object, name)
  } catch {
    return undefined
  }
}
