/**
 * A wrapped client: it has all that the given one has, also what its owner sets later. What is set on the wrapped client stays there.
 * @module
 */
import type { BedrockClient } from './sdk-client.ts'

/** A wrapped client, and what was set on it. */
export interface WrappedClient {
  readonly client: BedrockClient
  /** The members that were set on the wrapped client and not on the given one. */
  readonly changes: () => PropertyDescriptorMap
}

/**
 * A client over `own`.
 * @param members the members that differ. They do not show in lists unless the given client has members of these names.
 */
export function wrappedClient(own: BedrockClient, members: ReadonlyMap<PropertyKey, unknown>): WrappedClient {
  const changed: object = Object.create(null)
  const client = new Proxy(own, {
    get(_, name, receiver) {
      if (Object.hasOwn(changed, name)) return Reflect.get(changed, name, receiver)
      if (members.has(name)) return members.get(name)
      // A getter and a method with private state of its class know the given client only.
      const value: unknown = Reflect.get(own, name, own)
      return hasPrivateState(value) ? bound(value, client, own) : value
    },
    set: (_, name, value) => Reflect.defineProperty(changed, name, { value, configurable: true, enumerable: true, writable: true }),
    has: (_, name) => Object.hasOwn(changed, name) || members.has(name) || Reflect.has(own, name),
    ownKeys: () => [...new Set([...Reflect.ownKeys(own), ...Reflect.ownKeys(changed)])],
    getOwnPropertyDescriptor(_, name) {
      const descriptor = Reflect.getOwnPropertyDescriptor(changed, name) ?? Reflect.getOwnPropertyDescriptor(own, name)
      if (descriptor === undefined) return undefined
      const isMember = !Object.hasOwn(changed, name) && members.has(name)
      // A proxy may not show a member of another object as one that cannot be configured.
      return isMember ? { ...descriptor, value: members.get(name), configurable: true } : { ...descriptor, configurable: true }
    },
    defineProperty: (_, name, descriptor) => Reflect.defineProperty(changed, name, { ...descriptor, configurable: true }),
    deleteProperty: (_, name) => Reflect.deleteProperty(changed, name),
    setPrototypeOf: () => false,
    preventExtensions: () => false,
  })
  return { client, changes: () => Object.getOwnPropertyDescriptors(changed) }
}

type Method = (...given: unknown[]) => unknown

const privateState = new WeakMap<object, boolean>()

/** Whether a function reads private members of its class, such as `#tenant`. Only objects that the class itself made have these. */
export function hasPrivateState(value: unknown): value is Method {
  if (typeof value !== 'function') return false
  const known = privateState.get(value)
  if (known !== undefined) return known
  const found = /[.\s]#[A-Za-z_$]/.test(Function.prototype.toString.call(value))
  privateState.set(value, found)
  return found
}

/** A method that runs on the given client when it is called on the wrapped one. */
function bound(method: Method, client: object, own: object): Method {
  return function onOwn(this: unknown, ...given) {
    return Reflect.apply(method, this === client ? own : this, given)
  }
}
