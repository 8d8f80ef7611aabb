/**
 * Events of a recorded stream that say the same but for a few values, as the pieces of one answer do. Such an event is made of another one
 * and of its own values, which takes less than half of the time of parsing all of it.
 * @module
 */
import { type JsonObject, parseJsonObject } from '../../json/object.ts'
import { endOfString } from '../../json/string-end.ts'

/** A value that differs from event to event. */
export type OwnValue = string | number

/** What events of one kind share, and what each has of its own. */
export interface EventForm {
  /** The names of the members that differ, wherever they stand in the event. Each has a text or a number. */
  readonly own: readonly string[]
  /** An event with these values, one for each of `own`. It shares no object with another event. */
  make(values: readonly OwnValue[]): JsonObject
}

/** Whether no member of `object` is an object or a list, other than `except`. */
export function isFlat(object: JsonObject, except?: string): boolean {
  return Object.entries(object).every(([name, value]) => name === except || typeof value !== 'object' || value === null)
}

/** An event to learn from. */
interface Lesson {
  readonly own: readonly string[]
  /** The form of an event, if it has one. */
  readonly formOf: (event: unknown) => EventForm | undefined
}

/** How the texts of alike events are read. */
export class AlikeEvents {
  readonly #form: EventForm
  /** What stands before, between and after the own values. A text's quotes belong to it. */
  readonly #around: readonly string[]
  /** The place of each own value in `own`, in the order of the text. */
  readonly #places: readonly number[]

  private constructor(form: EventForm, around: readonly string[], places: readonly number[]) {
    this.#form = form
    this.#around = around
    this.#places = places
  }

  /**
   * Learns from the text of one event, and keeps nothing of its own values.
   * @param start where its data begins, which is JSON up to two line feeds
   * @returns `undefined` if others could not be made of it
   */
  static of(text: string, start: number, { own, formOf }: Lesson): AlikeEvents | undefined {
    const spans = spansOf(text, start, own)
    if (spans === undefined) return undefined
    // An event with values of no other event, as a name may stand in more than one place.
    const values = own.map((_, place): OwnValue => `the value of place ${place}`)
    for (const { from, place } of spans) if (text.charCodeAt(from) !== quote) values[place] = 1_000_003 + place
    const around = partsAround(text, spans)
    const places = spans.map(({ place }) => place)
    const tried = parseJsonObject(
      around
        .map((part, index) => part + textOf(values[places[index] ?? -1]))
        .join('')
        .slice(start),
    )
    const form = formOf(tried)
    const isTrue = form?.own.join() === own.join() && JSON.stringify(form.make(values)) === JSON.stringify(tried)
    return form !== undefined && isTrue ? new AlikeEvents(form, around, places) : undefined
  }

  /** The event in `text`, or `undefined` if it is not like the one that was learnt. */
  read(text: string): JsonObject | undefined {
    const around = this.#around
    const places = this.#places
    const values: OwnValue[] = []
    let at = 0
    for (let index = 0; index < places.length; index++) {
      const before = around[index] ?? ''
      const from = at + before.length
      // Twice as fast as `startsWith`.
      if (text.slice(at, from) !== before) return undefined
      at = endOfValue(text, from)
      const value = at === -1 ? undefined : valueOf(text.slice(from, at))
      if (value === undefined) return undefined
      values[places[index] ?? 0] = value
    }
    return text.slice(at) === around[places.length] ? this.#form.make(values) : undefined
  }
}

interface Span {
  /** The first character of the value, its quote if it is a text. */
  readonly from: number
  /** The character after it. */
  readonly to: number
  readonly place: number
}

function textOf(value: OwnValue | undefined): string {
  return value === undefined ? '' : JSON.stringify(value)
}

/** What stands before, between and after the own values, as texts of their own: a part of a text keeps all of it in memory. */
function partsAround(text: string, spans: readonly Span[]): readonly string[] {
  const parts = spans.map(({ from }, index) => text.slice(spans[index - 1]?.to ?? 0, from))
  const copy: unknown = JSON.parse(JSON.stringify([...parts, text.slice(spans.at(-1)?.to)]))
  return Array.isArray(copy) ? copy.map(String) : []
}

/** Where the own values stand in the text, in its order. */
function spansOf(text: string, start: number, own: readonly string[]): Span[] | undefined {
  const spans: Span[] = []
  for (const [place, name] of own.entries()) {
    const label = `${JSON.stringify(name)}:`
    const found = text.indexOf(label, start)
    const from = found + label.length
    const to = found === -1 ? -1 : endOfValue(text, from)
    if (to === -1) return undefined
    spans.push({ from, to, place })
  }
  return spans.toSorted((one, other) => one.from - other.from)
}

const quote = 34

/** Where the text or the whole number ends that begins at `from`; -1 for any other value. */
function endOfValue(text: string, from: number): number {
  return text.charCodeAt(from) === quote ? endOfString(text, from) : endOfDigits(text, from)
}

function endOfDigits(text: string, from: number): number {
  let end = from
  while (text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 57) end++
  return end === from ? -1 : end
}

/** Parsed, as a slice would hold the whole recording for as long as the caller keeps it. */
function valueOf(text: string): OwnValue | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' || typeof value === 'number' ? value : undefined
  } catch {
    return undefined
  }
}
