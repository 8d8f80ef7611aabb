/**
 * What is written of long texts that come again, as system prompts and documents do: to look one up takes a tenth of the time of its digest.
 * @module
 */

/** Characters of all remembered texts together, and of the longest. */
const maxCharacters = 2 ** 18
const maxTextLength = 2 ** 15
/** How many texts are remembered as seen once. */
const places = 256

/** Remembers what `make` returns for texts that come again. `make` must always return the same for the same text. */
export class LongTexts<Made> {
  readonly #make: (text: string) => Made
  readonly #known = new Map<string, Made>()
  /** Marks of texts that came once, at places by their marks. Most texts never come again, and no copy of them is made. */
  readonly #seen = new Int32Array(places)
  #characters = 0

  constructor(make: (text: string) => Made) {
    this.#make = make
  }

  /** What is made of a well-formed text. */
  get(text: string): Made {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const made = this.#make(text)
    if (text.length > maxTextLength) return made
    const mark = markOf(text)
    const place = mark & (places - 1)
    if (this.#seen[place] === mark) this.#remember(text, made)
    else this.#seen[place] = mark
    return made
  }

  #remember(text: string, made: Made): void {
    this.#characters += text.length
    if (this.#characters > maxCharacters) {
      this.#known.clear()
      this.#characters = text.length
    }
    // A copy, as a part of a longer text keeps all of it in memory.
    this.#known.set(String(JSON.parse(JSON.stringify(text))), made)
  }
}

/** A number that equal texts share, and most others do not. */
function markOf(text: string): number {
  const { length } = text
  let mark = length
  for (let part = 0; part < 8; part++) mark = Math.imul(mark, 31) + text.charCodeAt(Math.floor((length * part) / 8))
  return (Math.imul(mark, 31) + text.charCodeAt(length - 1)) | 0
}
