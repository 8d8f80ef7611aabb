/**
 * Methods of the caller's class that use private state. Only the object that the class constructed has it, so they run on the given client.
 * @module
 */
import { InvalidOptionError } from '../../errors.ts'
import { codeOf, isMethod, type Method, names, usesIdentity } from './own-code.ts'
import type { Classes } from './sdk-class.ts'

/** Methods that send a request. On the given client, the cache would not see it. */
const sending = ['post', 'request', 'methodRequest', 'makeRequest', 'retryRequest', 'fetchWithAuth', 'fetchWithTimeout', 'responsePromise']

/** The member of a resource or a method in `this.chat`, `this.post`. */
const members = /\bthis\s*\??\.\s*([\w$]+)/g

const sources = new WeakMap<Method, readonly Method[]>()

/**
 * The methods and accessors that run on `own`, by their names.
 * @throws {InvalidOptionError} if one of them sends requests
 */
export function boundMethods(own: object, { others, made }: Classes): Map<PropertyKey, Method> {
  const bound = new Map<PropertyKey, Method>()
  for (const prototype of others) {
    for (const name of Reflect.ownKeys(prototype)) {
      const parts = Object.values(Object.getOwnPropertyDescriptor(prototype, name) ?? {}).filter(isMethod)
      if (name === 'constructor' || bound.has(name) || Object.hasOwn(own, name) || !parts.some(usesIdentity)) continue
      for (const part of parts) assertSilent(own, made, { name, part })
      const forward: Method = (...given) => Reflect.apply(Reflect.get(own, name), own, given)
      sources.set(forward, parts)
      bound.set(name, forward)
    }
  }
  return bound
}

/** A method by its name. */
interface Named {
  readonly name: PropertyKey
  readonly part: Method
}

function assertSilent(own: object, made: object, { name, part }: Named): void {
  const isHook = name in made && !sending.includes(String(name))
  const sends = !isHook && (sending.includes(String(name)) || [...codeOf(part).matchAll(members)].some(([, used]) => isSending(own, used)))
  if (!sends) return
  throw new InvalidOptionError(
    'client',
    own,
    `a client whose class does not use #private members in "${String(name)}", which sends requests: the wrapped client has no such members. ` +
      'Use a plain field or a private field of TypeScript there, or wrap the client that this class holds',
  )
}

function isSending(own: object, name: string | undefined): boolean {
  if (name === undefined) return false
  if ([...sending, 'get', 'put', 'patch', 'delete'].includes(name)) return true
  const member: unknown = Object.hasOwn(own, name) ? Reflect.get(own, name) : undefined
  return typeof member === 'object' && member !== null && Reflect.get(member, '_client') === own
}

/**
 * Fails if a method that runs on the given client reads the field `name`: it would not see the new value.
 * @throws {TypeError} says why, and what to do
 */
export function assertSettable(name: PropertyKey, bound: ReadonlyMap<PropertyKey, Method>): void {
  if (bound.size === 0 || typeof name === 'symbol') return
  const forward = bound.get(name)
  const user =
    forward === undefined ? [...bound].find(([, each]) => sources.get(each)?.some((part) => names(part, String(name)))) : undefined
  const reader = forward !== undefined && sources.get(forward)?.some((part) => part.length > 0) === true ? name : user?.[0]
  if (reader === undefined) return
  throw new TypeError(
    `llmemo: "${String(name)}" cannot be set on a wrapped client: "${String(reader)}" uses it with #private members, which only the client ` +
      'that was given to withCache() has. Set it there, before or after wrapping.',
  )
}
