/**
 * What the types of wrapped clients have in common.
 *
 * No SDK need be installed, and an import of one that is not would not compile. So each type of an SDK has an alias whose error is ignored:
 * without the SDK, or in a version that has no such type, the alias is `any`. (A method's result could be had without its type's name, by
 * `typeof client.parse<Params>`; but TypeScript 5 and 6 overflow when an editor shows such a type.)
 * @module
 */
import type { CacheInfo } from '../call.ts'

/** `any` would match everything; a type that could not be found shall match nothing. */
export type Resolved<Type> = Either<Type, never>

/** `Type`, or `Else` when it is `any`. The braces are there as a condition on an unresolved type is itself unresolved. */
export type Either<Type, Else> = { is: 0 } extends { is: 1 & Type } ? Else : Type

/** An answer with the cache facts on it. A text has no room for them. */
export type WithInfo<Answer> = Answer extends object ? Answer & { readonly _cache: CacheInfo } : Answer

/** The last overload of each method once more, as it is the one that the compiler's complaint about a slip is about. */
export type LastWord<Of> = {
  [Name in keyof Of]: Of[Name] extends (...given: infer Given) => infer Answer ? (...given: Required<Given>) => Answer : LastWord<Of[Name]>
}
