/**
 * JSON texts whose long values are set aside, such as the vectors of embeddings: the rest can then be parsed, changed and written at little
 * cost, and what is long is copied once, when it is put back.
 * @module
 */
import { endOfString } from './string-end.ts'

/** How long the text of a value must be to be set aside. A shorter one is parsed and written as fast. */
const minLength = 500

/** The long values of some JSON texts. */
export class LongValues {
  /** No text holds this by chance. */
  readonly #mark = `"${crypto.randomUUID()}:`
  readonly #values: string[] = []

  /** JSON with a short text in the place of each long string, and of long lists of numbers. */
  setAside(json: string): string {
    let kept = ''
    let from = 0
    const put = (start: number, end: number): void => {
      kept += `${json.slice(from, start)}${this.#mark}${this.#values.length}"`
      this.#values.push(json.slice(start, end))
      from = end
    }
    for (let at = 0; at < json.length;) {
      const quote = json.indexOf('"', at)
      const end = quote === -1 ? json.length : quote
      if (end - at >= minLength) {
        const list = listIn(json, at, end)
        if (list !== undefined) put(...list)
      }
      const next = quote === -1 ? -1 : endOfString(json, quote)
      at = next === -1 ? json.length : next
      if (at - end >= minLength) put(end, at)
    }
    return kept + json.slice(from)
  }

  /** JSON of what was made of such texts, with the long values in their places again. */
  putBack(json: string): string {
    const [first = '', ...rest] = json.split(this.#mark)
    const texts = [first]
    for (const each of rest) {
      const end = each.indexOf('"')
      texts.push(this.#values[Number(each.slice(0, end))] ?? '', each.slice(end + 1))
    }
    return texts.join('')
  }
}

/** Where a long list begins and ends, in a part of JSON without strings. The innermost one of several. */
function listIn(json: string, from: number, to: number): [start: number, end: number] | undefined {
  const end = json.indexOf(']', from) + 1
  let start = json.indexOf('[', from)
  // Not by `lastIndexOf`, which takes ten times as long.
  for (let next = start; next !== -1 && next < end; next = json.indexOf('[', next + 1)) start = next
  return start !== -1 && end <= to && end - start >= minLength ? [start, end] : undefined
}
