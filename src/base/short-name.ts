/**
 * Short names for tables whose names callers choose: a name may be a megabyte, and tables remember thousands.
 * @module
 */
import { sha256 } from './digest.ts'

/** Characters of a name that stands in a table as it is. */
const maxLength = 200

/**
 * `name`, or its digest if it is long. Two names never have the same: one that begins as digests do stands there by its digest too.
 */
export function shortName(name: string): string {
  return name.length > maxLength || name.startsWith('#') ? `#${sha256(name)}` : name
}
