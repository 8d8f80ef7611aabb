/**
 * The resources of a twin (`chat`, `chat.completions`): each inherits from the resource of the given client, with patches and all, and calls
 * the twin.
 * @module
 */
import { codeOf, isMethod, prototypesOf } from './own-code.ts'

/**
 * Returns a function that gives the twin of a resource, and any other value as it is.
 * @param own the client whose resources these are
 * @param client their twins' client
 * @param constructed the resources that the SDK's constructor made for the twin
 */
export function twinResources(
  own: object,
  client: object,
  constructed: ReadonlyMap<PropertyKey, unknown>,
): (value: unknown, name: PropertyKey) => unknown {
  const made = new WeakMap<object, object>()

  function twinOf(value: unknown, counterpart: unknown): unknown {
    if (!isResource(value, own) && !isHolder(value, counterpart, own)) return value
    const known = made.get(value)
    if (known !== undefined) return known
    const twin = blankOf(value, client, counterpart)
    made.set(value, twin)
    const parts = new Map<PropertyKey, unknown>()
    for (const name of Reflect.ownKeys(twin)) {
      const patch: unknown = memberOf(twin, name)
      parts.set(name, patch)
      // A method that the SDK itself put on the resource is bound to the twin already.
      if (!isSamePatch(patch, memberOf(value, name))) Reflect.deleteProperty(twin, name)
    }
    Object.setPrototypeOf(twin, value)
    for (const name of namesOf(value)) {
      const member = anyMemberOf(value, name)
      const mine = name === '_client' ? client : twinOf(member, parts.get(name))
      if (mine === member) continue
      // Each call on a lane comes by here. It is no accessor but one of ours.
      const get = (): unknown => {
        const given: unknown = Reflect.get(value, name)
        return given === member ? mine : twinOf(given, undefined)
      }
      ours.add(get)
      const descriptor = name === '_client' ? { value: mine, writable: true } : { get, set: settable(name) }
      Object.defineProperty(twin, name, { ...descriptor, enumerable: true, configurable: true })
    }
    return twin
  }

  return (value, name) => twinOf(value, constructed.get(name))
}

/** A setter that makes a plain member of an accessor. */
function settable(name: PropertyKey): (this: object, value: unknown) => void {
  return function set(value) {
    Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true })
  }
}

/** Whether a value sends its requests through `own`, or is a plain object of such values. */
function isResource(value: unknown, own: object): value is object {
  if (typeof value !== 'object' || value === null || value === own) return false
  if (callsOf(value) === own) return true
  return Object.getPrototypeOf(value) === Object.prototype && Object.keys(value).some((name) => callsOf(memberOf(value, name)) === own)
}

/** Whether a value is an object of the SDK's that calls nothing itself, and holds resources that do. */
function isHolder(value: unknown, counterpart: unknown, own: object): value is object {
  if (typeof value !== 'object' || value === null || typeof counterpart !== 'object' || counterpart === null) return false
  // A twin of such an object inherits from it.
  if (!prototypesOf(value).includes(Object.getPrototypeOf(counterpart))) return false
  return Object.keys(value).some((name) => callsOf(memberOf(value, name)) === own)
}

/** The client that a resource calls. */
function callsOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? anyMemberOf(value, '_client') : undefined
}

/** The members of a resource. One that the caller put in the place of the SDK's may inherit from that. */
function namesOf(resource: object): Set<PropertyKey> {
  const names = new Set<PropertyKey>()
  for (const each of [resource, ...prototypesOf(resource)]) {
    for (const name of Reflect.ownKeys(each)) names.add(name)
    if (Object.hasOwn(each, '_client')) break
  }
  return names
}

/** The same of an own or an inherited member. */
function anyMemberOf(object: object, name: PropertyKey): unknown {
  const owner = [object, ...prototypesOf(object)].find((each) => Object.hasOwn(each, name))
  return owner && memberOf(owner, name)
}

/** The accessors of twins. */
const ours = new WeakSet<object>()

/** An own member that is no accessor but ours. Some accessors of the SDKs throw. */
function memberOf(object: object, name: PropertyKey): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(object, name)
  const get: unknown = descriptor && Reflect.get(descriptor, 'get')
  return isMethod(get) && ours.has(get) ? get() : descriptor?.value
}

/** An object with the private members of the SDK's class of `resource`. */
function blankOf(resource: object, client: object, counterpart: unknown): object {
  const chain = prototypesOf(resource)
  if (typeof counterpart === 'object' && counterpart !== null && Object.getPrototypeOf(counterpart) === chain[0]) return counterpart
  // The last class is the base of all resources. The one before it is the SDK's; further ones may be the caller's.
  const last = chain.at(-2) ?? chain.at(-1)
  const construct: unknown = last && Reflect.get(last, 'constructor')
  try {
    return isMethod(construct) ? Reflect.construct(construct, [client]) : {}
  } catch {
    return {}
  }
}

function isSamePatch(first: unknown, second: unknown): boolean {
  return isMethod(first) && isMethod(second) && codeOf(first) === codeOf(second)
}
