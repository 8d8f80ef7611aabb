/**
 * What is known of calls that come again, within a limit. Calls that come often stay; of the others, the older half is forgotten at a time.
 * @module
 */
import type { Engine } from '../../engine/engine.ts'
import { everything } from '../../engine/invalidation/labels.ts'
import { charactersPerToken, type Reading } from '../../json/reading.ts'

/** How much a memo may hold, in addition to the hot memory. */
interface Room {
  /** The limit of all texts together, in characters. */
  readonly most: number
  /** Bytes of the hot memory for which the texts may take one character. */
  readonly memoryPerCharacter: number
}

/** With its parsed form, a text takes up to four bytes a character. */
const roomOfTexts: Room = { most: 2 ** 20, memoryPerCharacter: 64 }
/** A reading is the texts alone. A long context has some hundred thousand characters. */
const roomOfReadings: Room = { most: 2 ** 22, memoryPerCharacter: 16 }
/** A text may take this part of the room, so that one long text does not push out all others. */
const shareOfOneText = 1 / 8

/** The memory that readings are bounded by at the least where there is a store: it is often used with little hot memory, or none. */
const leastBesideStore = 32 * 2 ** 20

function charactersFor({ most, memoryPerCharacter }: Room, maxMemoryBytes: number): number {
  return Math.min(most, maxMemoryBytes / memoryPerCharacter)
}

/** Values by keys, with a limit of the characters that they take. */
class CallMemo<Key, Value> {
  readonly #maxCharacters: number
  readonly #maxTextLength: number
  readonly #charactersOf: (key: Key, value: Value) => number
  #young = new Map<Key, Value>()
  #old = new Map<Key, Value>()
  /** The characters of the young ones. */
  #characters = 0

  /**
   * @param room in characters
   * @param share the part of the room that is its own
   */
  constructor(room: number, charactersOf: (key: Key, value: Value) => number, share = 1) {
    this.#maxCharacters = room * share
    this.#maxTextLength = room * shareOfOneText
    this.#charactersOf = charactersOf
  }

  get(key: Key): Value | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: Key, value: Value): void {
    const characters = this.#charactersOf(key, value)
    const young = this.#young.get(key)
    if (characters > this.#maxTextLength || young === value) return
    this.#characters += characters - (young === undefined ? 0 : this.#charactersOf(key, young))
    this.#old.delete(key)
    if (young === undefined && this.#characters > this.#maxCharacters / 2) {
      this.#old = this.#young
      this.#young = new Map()
      this.#characters = characters
    }
    this.#young.set(key, value)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
    this.#characters = 0
  }
}

/** Values by texts. */
export class TextMemo<Value> {
  readonly #memo: CallMemo<string, Value>

  /** @param maxMemoryBytes the limit of the hot memory. The texts take a small part more. */
  constructor(maxMemoryBytes: number) {
    this.#memo = new CallMemo(charactersFor(roomOfTexts, maxMemoryBytes), ({ length }) => length)
  }

  /** What is known of this text. */
  get(text: string): Value | undefined {
    return this.#memo.get(text)
  }

  /** Notes what is known of a text. */
  set(text: string, value: Value): void {
    this.#memo.set(text, value)
  }

  /** Forgets everything. */
  clear(): void {
    this.#memo.clear()
  }
}

/** A reading, and what is known of it. */
interface Known<Value> {
  readonly reading: Reading
  readonly value: Value
}

/** A call that was made a short while ago. What is to be known of it is made only if another one says the same. */
export interface RecentCall<Value> {
  /** Makes what is known of it. */
  readonly known: () => Value
  /** Reads what was sent; `undefined` if it cannot be read. */
  readonly read: () => Reading | undefined
}

/** How much a call said. */
interface Size {
  readonly tokens: number
  readonly characters: number
}

function charactersOf({ characters, tokens }: Reading): number {
  return characters + charactersPerToken * tokens.length
}

/** The calls of a short while may take this part of the room in addition. */
const shareOfRecent = 1 / 8

/** How many readings of one sum are kept. */
const maxAlike = 8

/** Values by readings. */
export class ReadingMemo<Value> {
  readonly #bySum: CallMemo<number, readonly Known<Value>[]>
  readonly #recent: CallMemo<number, RecentCall<Value> & Size>

  /** @param maxMemoryBytes the limit of the hot memory. The readings take a small part more. */
  constructor(maxMemoryBytes: number) {
    const room = charactersFor(roomOfReadings, maxMemoryBytes)
    this.#bySum = new CallMemo(room, (_, alike) => alike.reduce((sum, { reading }) => sum + reading.characters, 0))
    this.#recent = new CallMemo(room, (_, { characters }) => characters, shareOfRecent)
  }

  /** What is known of a call that reads the same. */
  get(reading: Reading): Value | undefined {
    const alike = this.#bySum.get(reading.sum)
    if (alike !== undefined) for (const known of alike) if (known.reading.isSame(reading)) return known.value
    const recent = this.#recent.get(reading.sum)
    // What is sent may be less than the call said: its rest is then in headers, and the value is none for a call that says no more than that.
    if (recent === undefined || recent.tokens !== reading.tokens.length || recent.characters !== charactersOf(reading)) return undefined
    if (recent.read()?.isSame(reading) !== true) return undefined
    const value = recent.known()
    this.set(reading, value)
    return value
  }

  /** Whether a recent call may have read the same. */
  hasRecent({ sum }: Reading): boolean {
    return this.#recent.get(sum) !== undefined
  }

  /**
   * Notes a call that was made just now. Most calls that miss never come again, so no copy of what it said is made before it does: that takes
   * longer than all else that is noted of a call.
   */
  note(reading: Reading, { known, read }: RecentCall<Value>): void {
    this.#recent.set(reading.sum, { known, read, tokens: reading.tokens.length, characters: charactersOf(reading) })
  }

  /** Notes what is known of a call. */
  set(reading: Reading, value: Value): void {
    const others = (this.#bySum.get(reading.sum) ?? []).filter((other) => !other.reading.isSame(reading))
    this.#bySum.set(reading.sum, [{ reading: reading.owned(), value }, ...others].slice(0, maxAlike))
  }

  /** Forgets everything. */
  clear(): void {
    this.#bySum.clear()
    this.#recent.clear()
  }
}

/** Returns a function that gives the memo of an engine's cache: one for all clients, so that their calls together keep the limit. */
export function memoByEngine<Value>(): (engine: Engine) => ReadingMemo<Value> {
  const memos = new WeakMap<Engine, ReadingMemo<Value>>()
  return (engine) => {
    const known = memos.get(engine)
    if (known !== undefined) return known
    const { maxMemoryBytes, store } = engine.settings
    const memo = new ReadingMemo<Value>(store === undefined ? maxMemoryBytes : Math.max(maxMemoryBytes, leastBesideStore))
    memos.set(engine, memo)
    // What was read are prompts. When everything is outdated, they are of no more use.
    engine.events.on('invalidate', ({ label }) => {
      if (label === everything) memo.clear()
    })
    return memo
  }
}
