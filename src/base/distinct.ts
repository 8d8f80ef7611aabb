/**
 * Lists without repetitions.
 * @module
 */

/** Each value once, in the order in which it came first. Of one value or none the list itself, without a set: most lists are so short. */
export function distinct<Value>(values: readonly Value[]): readonly Value[] {
  return values.length < 2 ? values : [...new Set(values)]
}
