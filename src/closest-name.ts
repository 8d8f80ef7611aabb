/**
 * The known name that a misspelt one was probably meant to be.
 * @module
 */

/** The name among `known` that differs from `given` by a slip or two, or only in letter case; `undefined` when none is near. */
export function closestName(given: string, known: readonly string[]): string | undefined {
  // Names are short. A longer text is no slip, and the comparison takes the product of both lengths.
  if (given.length > 40) return undefined
  const plain = given.toLowerCase()
  let closest: string | undefined
  let least = Infinity
  for (const name of known) {
    const other = name.toLowerCase()
    const distance = distanceBetween(plain, other)
    const isNear = distance <= Math.max(1, Math.floor(Math.min(plain.length, other.length) / 3))
    const isCut = plain.length >= 4 && (other.startsWith(plain) || plain.startsWith(other))
    if ((isNear || isCut) && distance < least) {
      closest = name
      least = distance
    }
  }
  return closest
}

/**
 * How many characters must be inserted, removed, replaced or swapped with their neighbour to make `second` of `first`.
 * Source: https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance (optimal string alignment)
 */
function distanceBetween(first: string, second: string): number {
  let before: number[] = []
  let above = Array.from({ length: second.length + 1 }, (_, index) => index)
  for (let row = 1; row <= first.length; row++) {
    const current = [row]
    for (let column = 1; column <= second.length; column++) {
      const isSame = first[row - 1] === second[column - 1]
      const isSwapped = row > 1 && column > 1 && first[row - 1] === second[column - 2] && first[row - 2] === second[column - 1]
      current[column] = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (before[column - 2] ?? 0) + 1 : Infinity,
      )
    }
    before = above
    above = current
  }
  return above[second.length] ?? 0
}
