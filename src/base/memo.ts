/**
 * Remembers what a function returns for texts that come again and again.
 * @module
 */

/** Longer texts are not remembered: they would cost more memory than they save time. */
const maxTextLength = 1_000

/**
 * A function that returns the same as `make` and remembers its results. `make` must always return the same for the same text.
 * @param maxTexts how many texts are remembered; when there are more, all are forgotten
 */
export function remembering<Made>(maxTexts: number, make: (text: string) => Made): (text: string) => Made {
  const known = new Map<string, Made>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const made = make(text)
    if (text.length > maxTextLength) return made
    if (known.size >= maxTexts) known.clear()
    known.set(text, made)
    return made
  }
}
