/**
 * What is known of texts that come again, within a limit. Texts that come often stay; of the others, the older half is forgotten at a time.
 * @module
 */
import type { Engine } from '../../engine/engine.ts'
import { everything } from '../../engine/invalidation/labels.ts'

/** The limit of all remembered texts together, in characters. With its parsed form, a text takes up to four bytes a character. */
const maxTotalCharacters = 2 ** 20
/** The texts may take one character for this many bytes of the hot memory, in addition to them. */
const memoryBytesPerCharacter = 64
/** A text may take this part of the room, so that one long text does not push out all others. */
const maxShareOfOneText = 1 / 8

/** Values by texts. */
export class TextMemo<Value> {
  readonly #maxCharacters: number
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()
  /** The characters of the young texts. */
  #characters = 0

  /** @param maxMemoryBytes the limit of the hot memory. The texts take a small part more. */
  constructor(maxMemoryBytes: number) {
    this.#maxCharacters = Math.min(maxTotalCharacters, maxMemoryBytes / memoryBytesPerCharacter)
  }

  /** What is known of this text. */
  get(text: string): Value | undefined {
    const young = this.#young.get(text)
    if (young !== undefined) return young
    const old = this.#old.get(text)
    if (old !== undefined) this.set(text, old)
    return old
  }

  /** Notes what is known of a text. */
  set(text: string, value: Value): void {
    if (text.length > this.#maxCharacters * maxShareOfOneText || this.#young.get(text) === value) return
    if (!this.#young.has(text)) {
      this.#characters += text.length
      this.#old.delete(text)
      if (this.#characters > this.#maxCharacters / 2) {
        this.#old = this.#young
        this.#young = new Map()
        this.#characters = text.length
      }
    }
    this.#young.set(text, value)
  }

  /** Forgets everything. */
  clear(): void {
    this.#young.clear()
    this.#old.clear()
    this.#characters = 0
  }
}

/** Returns a function that gives the memo of an engine's cache: one for all clients, so that their texts together keep the limit. */
export function memoByEngine<Value>(): (engine: Engine) => TextMemo<Value> {
  const memos = new WeakMap<Engine, TextMemo<Value>>()
  return (engine) => {
    const known = memos.get(engine)
    if (known !== undefined) return known
    const memo = new TextMemo<Value>(engine.settings.maxMemoryBytes)
    memos.set(engine, memo)
    // The texts are prompts. When everything is outdated, they are of no more use.
    engine.events.on('invalidate', ({ label }) => {
      if (label === everything) memo.clear()
    })
    return memo
  }
}
