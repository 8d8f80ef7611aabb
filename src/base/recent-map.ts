/**
 * A map whose values are in the order in which they were last set, so that the oldest can be dropped.
 *
 * A `Map` with delete and set would do the same. But V8 keeps deleted members in its hash chains until the next rehash, so a key that is set
 * again and again would make each time slower than the last, the more so the larger the map is.
 * @module
 */
import { type Used, UseOrder } from './use-order.ts'

/** A value and its place in the order. */
interface Member<Value> extends Used<Member<Value>> {
  readonly key: string
  value: Value
}

/** A map in the order of setting. Every operation takes constant time. */
export class RecentMap<Value> {
  readonly #members = new Map<string, Member<Value>>()
  readonly #order = new UseOrder<Member<Value>>()

  /** How many values there are. */
  get size(): number {
    return this.#members.size
  }

  /** The value that was set longest ago, with its key; `undefined` when there is none. */
  get oldest(): { readonly key: string; readonly value: Value } | undefined {
    return this.#order.oldest
  }

  /** All keys and values, the oldest first. Its reader may remove the one that it has, and change nothing else meanwhile. */
  *entries(): Generator<readonly [key: string, value: Value], undefined> {
    let member: Member<Value> | undefined = this.#order.oldest
    while (member !== undefined) {
      // A removed one knows its neighbours no longer.
      const next: Member<Value> | undefined = member.newer
      yield [member.key, member.value]
      member = next
    }
  }

  /** The value of `key`. Does not change the order. */
  get(key: string): Value | undefined {
    return this.#members.get(key)?.value
  }

  /** Sets the value of `key`, and makes it the newest. */
  set(key: string, value: Value): void {
    const member = this.#members.get(key)
    if (member !== undefined) {
      member.value = value
      this.#order.use(member)
      return
    }
    const added: Member<Value> = { key, value, older: undefined, newer: undefined }
    this.#members.set(key, added)
    this.#order.add(added)
  }

  /** Removes `key`, if it is there. */
  delete(key: string): void {
    const member = this.#members.get(key)
    if (member === undefined) return
    this.#members.delete(key)
    this.#order.remove(member)
  }
}
