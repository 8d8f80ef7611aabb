/**
 * Whether the resources of a client (`chat`, `chat.completions`) send their requests through it. Those of a `Proxy` of a client, or of an
 * object that inherits from one, call the client beneath, and never come to the cache.
 * @module
 */
import { InvalidOptionError } from '../../errors.ts'
import { codeOf, isMethod, type Method, prototypesOf } from './own-code.ts'

/**
 * Fails for a client of which every resource calls another object.
 * @throws {InvalidOptionError} says what to wrap instead
 */
export function assertOwnResources(own: object): void {
  const called = resourcesOf(own).map(({ resource }) => dataOf(resource, '_client'))
  if (called.length === 0 || called.includes(own)) return
  throw new InvalidOptionError(
    'client',
    own,
    'the client itself rather than a Proxy of it, or an object that inherits from it: its resources call the client beneath, past the ' +
      'cache. Wrap the client first, and then observe the wrapped client',
  )
}

/** The methods of resources that were replaced by functions which cannot call the wrapped client: `chat.completions.create`. */
export function patchesPast(own: object): string[] {
  return resourcesOf(own).flatMap(({ resource, path }) =>
    Object.keys(resource)
      .filter((name) => isPatchPast(dataOf(resource, name), shippedOf(resource, name)))
      .map((name) => `${path}.${name}`),
  )
}

/** A function without a `this` calls what it has closed over, or was bound to: the given client. */
function isPatchPast(patch: unknown, shipped: unknown): boolean {
  return isMethod(patch) && isMethod(shipped) && codeOf(patch) !== codeOf(shipped) && !/\bthis\b/.test(codeOf(patch))
}

function shippedOf(resource: object, name: string): Method | undefined {
  const shipped: unknown = prototypesOf(resource)
    .map((each): unknown => Object.getOwnPropertyDescriptor(each, name)?.value)
    .find(isMethod)
  return isMethod(shipped) ? shipped : undefined
}

interface Found {
  readonly resource: object
  readonly path: string
}

/** The resources of a client, and the resources in them. */
function resourcesOf(own: object): Found[] {
  const first = partsOf(own, '')
  return [...first, ...first.flatMap(({ resource, path }) => partsOf(resource, `${path}.`))]
}

function partsOf(object: object, before: string): Found[] {
  const parts: Found[] = []
  // Inherited members count: an object that inherits from a client has none of its own.
  // oxlint-disable-next-line guard-for-in
  for (const name in object) {
    const value = dataOf(object, name)
    if (typeof value === 'object' && value !== null && isObject(dataOf(value, '_client')))
      parts.push({ resource: value, path: before + name })
  }
  return parts
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

/** A member, own or inherited, that is no accessor: some accessors of the SDKs throw. */
function dataOf(object: object, name: string): unknown {
  for (const each of [object, ...prototypesOf(object)]) {
    const descriptor = Object.getOwnPropertyDescriptor(each, name)
    if (descriptor !== undefined) return descriptor.value
  }
  return undefined
}
