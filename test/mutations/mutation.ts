/**
 * A mutation takes one rule out of the source. The tests of its fault id must fail then: else they prove nothing.
 * @module
 */

/** One rule that is taken away, by one change of one file. */
export interface Mutation {
  /** The fault id of `test/faults/README.md` whose rule this is. */
  readonly id: string
  /** The rule that is taken away, in one short sentence. */
  readonly breaks: string
  /** The file that has the rule. */
  readonly file: string
  /** A text that stands in the file exactly once. */
  readonly find: string
  /** What stands there instead. */
  readonly put: string
  /** The test file that proves the rule. */
  readonly test: string
  /** A pattern for the titles to run. @default the id, followed by the end of a word */
  readonly name?: string
  /** Set where a test waits for ever without the rule: its time-out then counts. @default a time-out proves nothing */
  readonly hangs?: true
}

/** The titles that a mutation runs, as a pattern. */
export function namesOf({ id, name }: Mutation): string {
  return name ?? `${id}\\b`
}

/** @throws unless the text to find stands in the source exactly once, as a mutation that changes nothing would prove nothing */
export function mutated(source: string, { id, breaks, file, find, put }: Mutation): string {
  const [before, after, ...more] = source.split(find)
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`${id} (${breaks}): its text is ${more.length > 0 ? `${more.length + 1} times` : 'not'} in ${file}: ${find}`)
  return before + put + after
}
