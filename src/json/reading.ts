/**
 * Plain JSON as it was read: a flat list of all that it says. Two values with equal lists are written as the same text, and to compare lists
 * takes a part of the time that it takes to write the text. Reading calls no code of the caller's.
 * @module
 */
import { isJsonObject, type JsonObject } from './object.ts'
import { lookupGetter, maxPlainDepth } from './plain.ts'

/** Where an object or a list begins, and where it ends. No value equals them. */
const objectMark = Object.freeze({ begins: 'object' })
const listMark = Object.freeze({ begins: 'list' })
const endMark = Object.freeze({ ends: true })

/** What a token counts beside its characters, so that a list of many numbers counts too. */
export const charactersPerToken = 4

/** A text of fewer characters is told from others by four of them, a longer one by seven. */
const shortText = 16

/** What was read. Every call makes one, hits included. */
export class Reading {
  /** All that was read, in order. */
  readonly tokens: unknown[] = []
  /** A number of 30 bits that equal readings share, and most others do not. */
  sum = 0
  /** About the characters of the text. */
  characters = 0

  /**
   * Adds a request: a plain object without getters, at any depth.
   * @returns false if it may say more than was read, or if to read it would call code of the caller's. The reading is then of no use.
   */
  addRecord(value: unknown): value is JsonObject {
    if (!isJsonObject(value)) return false
    const names = this.#addObject(value, 0)
    // What lies under symbols, or is not listed, is not read. To ask for all keys at once takes four times as long.
    return names === Object.getOwnPropertyNames(value).length && Object.getOwnPropertySymbols(value).length === 0
  }

  /** Adds a text, a number, a boolean or nothing. */
  addScalar(value: string | number | boolean | undefined | null): void {
    if (typeof value === 'string') {
      const { length } = value
      this.characters += length
      const middle = length >> 1
      // The texts of two prompts of one length mostly differ at one of these places. Many end in a number.
      const end = Math.imul(Math.imul(value.charCodeAt(length - 3), 31) + value.charCodeAt(length - 2), 31) + value.charCodeAt(length - 1)
      // Most short texts are roles and names, and many of these are the same in all calls.
      if (length < shortText) {
        this.#mix(length ^ Math.imul(Math.imul(value.charCodeAt(middle), 29_791) + end, 92_821))
        this.tokens.push(value)
        return
      }
      const ends = Math.imul(value.charCodeAt(0), 29_791) + end
      const inside = Math.imul(value.charCodeAt(middle), 31) + value.charCodeAt(middle >> 1)
      this.#mix(length ^ Math.imul(ends, 92_821) ^ Math.imul(inside + value.charCodeAt(middle + (middle >> 1)), 689_287_499))
    } else if (typeof value === 'number') this.#mix(value * 1_000)
    this.tokens.push(value)
  }

  /** Whether both read the same. */
  isSame({ tokens }: Reading): boolean {
    const own = this.tokens
    if (own.length !== tokens.length) return false
    for (let index = 0; index < own.length; index++) if (own[index] !== tokens[index]) return false
    return true
  }

  /** The same with texts of its own: a part of a long text keeps all of it in memory. */
  owned(): Reading {
    const texts: unknown = JSON.parse(JSON.stringify(this.tokens.filter((token) => typeof token === 'string')))
    const copy = new Reading()
    let next = 0
    for (const token of this.tokens) copy.tokens.push(typeof token === 'string' && Array.isArray(texts) ? texts[next++] : token)
    copy.sum = this.sum
    copy.characters = this.characters + charactersPerToken * this.tokens.length
    return copy
  }

  #mix(number: number): void {
    this.sum = (Math.imul(this.sum, 31) ^ number) & 0x3f_ff_ff_ff
  }

  #add(value: unknown, depth: number): boolean {
    if (typeof value === 'object' && value !== null) {
      if (depth > maxPlainDepth) return false
      return Array.isArray(value) ? this.#addList(value, depth) : isJsonObject(value) && this.#addObject(value, depth) !== -1
    }
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean' && value !== null) return false
    this.addScalar(value)
    return true
  }

  #addList(list: readonly unknown[], depth: number): boolean {
    if (typeof lookupGetter !== 'function' || Object.getPrototypeOf(list) !== Array.prototype || 'toJSON' in list) return false
    this.tokens.push(listMark)
    for (let index = 0; index < list.length; index++) {
      if (lookupGetter.call(list, index) !== undefined || !this.#add(list[index], depth + 1)) return false
    }
    this.tokens.push(endMark)
    return true
  }

  /** @returns how many members it has; -1 if not all of it may be read */
  #addObject(object: JsonObject, depth: number): number {
    if (typeof lookupGetter !== 'function' || Object.getPrototypeOf(object) !== Object.prototype || 'toJSON' in object) return -1
    this.tokens.push(objectMark)
    let names = 0
    for (const name in object) {
      names++
      if (lookupGetter.call(object, name) !== undefined) return -1
      const member = object[name]
      if (member === undefined) continue
      this.tokens.push(name)
      if (!this.#add(member, depth + 1)) return -1
    }
    this.tokens.push(endMark)
    return names
  }
}
