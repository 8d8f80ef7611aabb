/**
 * What a function makes of a text, remembered for the texts that come again and again.
 * @module
 */

/** Longer texts are not remembered: that would take more memory than it saves time. */
const maxTextLength = 1_000

/**
 * `make`, which must always make the same of the same text, and remembers what it made.
 * @param maxTexts texts that are remembered; with one more, it begins anew
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
