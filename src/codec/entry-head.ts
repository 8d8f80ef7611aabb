/**
 * Checks the head of an entry, as read from JSON, member by member, so that no value of a wrong type gets further.
 * @module
 */
import type { BodyKind, EntryHead, Usage } from '../entry.ts'
import { EntryError } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../json/object.ts'

type Fields = Readonly<JsonObject>

/**
 * A new head with all known members of `value`. Its records have no prototype.
 * @throws {EntryError} `DAMAGED_ENTRY` that names the first member that is missing or has a wrong type
 */
export function readHead(value: unknown): EntryHead {
  const head = fields(value, 'head')
  return {
    key: textOf(head, 'key'),
    scope: textOf(head, 'scope'),
    ...(head['namespace'] === undefined ? {} : { namespace: textOf(head, 'namespace') }),
    provider: textOf(head, 'provider'),
    endpoint: textOf(head, 'endpoint'),
    operation: textOf(head, 'operation'),
    model: textOf(head, 'model'),
    kind: kindOf(head),
    storedAt: numberOf(head, 'storedAt'),
    ttl: numberOf(head, 'ttl'),
    stale: numberOf(head, 'stale'),
    tags: textsOf(head, 'tags'),
    generations: recordOf(head, 'generations'),
    status: numberOf(head, 'status'),
    headers: recordOf(head, 'headers'),
    omits: textsOf(head, 'omits'),
    ...(head['usage'] === undefined ? {} : { usage: readUsage(head['usage']) }),
    latency: numberOf(head, 'latency'),
  }
}

const optionalCounts = ['cacheRead', 'cacheWrite', 'cacheWriteHour', 'audioInput', 'audioOutput', 'cost'] as const

function readUsage(value: unknown): Usage {
  const counts = fields(value, 'usage')
  const usage: { -readonly [Name in keyof Usage]: Usage[Name] } = { input: numberOf(counts, 'input'), output: numberOf(counts, 'output') }
  for (const name of optionalCounts) if (counts[name] !== undefined) usage[name] = numberOf(counts, name)
  return usage
}

function fields(value: unknown, name: string): Fields {
  if (!isJsonObject(value)) throw wrongMember(name)
  return value
}

function textOf(from: Fields, name: string): string {
  const value = from[name]
  if (typeof value !== 'string') throw wrongMember(name)
  return value
}

function numberOf(from: Fields, name: string): number {
  const value = from[name]
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrongMember(name)
  return value
}

function kindOf(head: Fields): BodyKind {
  const kind = head['kind']
  if (kind !== 'json' && kind !== 'sse' && kind !== 'bytes') throw wrongMember('kind')
  return kind
}

function textsOf(from: Fields, name: string): string[] {
  const value = from[name]
  if (!Array.isArray(value)) throw wrongMember(name)
  const texts: string[] = []
  for (const text of value) {
    if (typeof text !== 'string') throw wrongMember(name)
    texts.push(text)
  }
  return texts
}

function recordOf(from: Fields, name: string): Record<string, string> {
  // Without a prototype, `__proto__` and `constructor` are ordinary members, and the record has no member that was not stored.
  const record: Record<string, string> = Object.create(null)
  const given = fields(from[name], name)
  for (const label of Object.keys(given)) {
    const text = given[label]
    if (typeof text !== 'string') throw wrongMember(name)
    record[label] = text
  }
  return record
}

/** Names only the member, because its content may be private. */
function wrongMember(name: string): EntryError {
  return damagedEntry(`"${name}" in its head is missing or of the wrong type`)
}

/** The error for a damaged entry. `what` must say nothing about its content. */
export function damagedEntry(what: string): EntryError {
  return new EntryError('DAMAGED_ENTRY', `an entry is damaged: ${what}.`)
}
