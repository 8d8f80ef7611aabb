/**
 * What the types of wrapped clients have in common.
 *
 * No SDK needs to be installed, and an import of an SDK that is not installed does not compile. So each type of an SDK has an alias with an
 * ignored error: without the SDK, or in a version without the type, the alias is `any`. (The result of a method could be had without the
 * name of its type, as `typeof client.parse<Params>`; but TypeScript 5 and 6 overflow when an editor shows such a type.)
 * @module
 */
import type { CacheInfo } from '../call.ts'

/** `Type`, or `never` if it could not be found and is `any`: `any` would match everything. */
export type Resolved<Type> = Either<Type, never>

/** `Type`, or `Else` if it is `any`. The braces are needed, as a condition on an unresolved type is itself unresolved. */
export type Either<Type, Else> = { is: 0 } extends { is: 1 & Type } ? Else : Type

/** What a result has besides its own members: that of a wrapped client, and that of a client that may be wrapped. */
export type Facts = { readonly _cache: CacheInfo }
export type MaybeFacts = { readonly _cache?: CacheInfo }

/** An answer with the cache facts on it. A text cannot carry them. */
export type WithInfo<Answer, Added extends MaybeFacts = Facts> = Answer extends object ? Answer & Added : Answer

/** The last overload of each method once more: the compiler's error for a wrong call is about that one. */
export type LastWord<Of> = {
  [Name in keyof Of]: Of[Name] extends (...given: infer Given) => infer Answer ? (...given: Required<Given>) => Answer : LastWord<Of[Name]>
}
