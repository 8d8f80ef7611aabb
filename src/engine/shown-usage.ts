/**
 * What a hit shows as its usage. Tools that watch the client of an SDK take the usage of a hit for tokens that were spent.
 * @module
 */
import { formatEvents, parseEvents } from '../base/server-sent-events.ts'
import type { Entry } from '../entry.ts'
import { isJsonObject } from '../json/object.ts'
import type { LookupResult } from '../lookup-result.ts'
import type { ShownUsage } from './settings/switches.ts'

/** Members that hold what the model or the caller wrote as JSON of its own. */
const ownJson = new Set(['input', 'arguments', 'response', 'parsed', 'json'])

/** Shows stored answers with their usage as the user wants it. */
export class UsageView {
  readonly #shown: ShownUsage
  /** An entry in memory is served often, and changed once. */
  readonly #changed = new WeakMap<Entry, Entry>()

  constructor(shown: ShownUsage) {
    this.#shown = shown
  }

  /** What was found, as its caller sees it. Its head keeps the usage for the savings. */
  of(found: LookupResult): LookupResult {
    if (this.#shown === 'keep') return found
    const known = this.#changed.get(found.entry)
    const entry = known ?? this.#change(found.entry)
    if (known === undefined) this.#changed.set(found.entry, entry)
    return entry === found.entry ? found : { ...found, entry }
  }

  #change(entry: Entry): Entry {
    const { head, body } = entry
    if (typeof body !== 'string' || !body.includes('usage')) return entry
    if (head.kind === 'json') return { head, body: this.#inText(body) }
    const events = parseEvents(body).map((event) => Object.assign(event, { data: this.#inText(event.data) }))
    return { head, body: formatEvents(events) }
  }

  #inText(text: string): string {
    if (!text.includes('usage')) return text
    try {
      return JSON.stringify(this.#inValue(JSON.parse(text)))
    } catch {
      // An event that is no JSON, such as `[DONE]`.
      return text
    }
  }

  #inValue(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item: unknown) => this.#inValue(item))
    if (!isJsonObject(value)) return value
    const members = Object.entries(value).map(([name, member]): [string, unknown] => {
      if (ownJson.has(name)) return [name, member]
      return [name, name === 'usage' && isJsonObject(member) ? this.#usage(member) : this.#inValue(member)]
    })
    return Object.fromEntries(members)
  }

  #usage(usage: Readonly<Record<string, unknown>>): unknown {
    return this.#shown === 'mark' ? { ...usage, cached_by: 'llmemo' } : zeroed(usage)
  }
}

function zeroed(value: unknown): unknown {
  if (typeof value === 'number') return 0
  if (Array.isArray(value)) return value.map((item: unknown) => zeroed(item))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, zeroed(member)]))
}
