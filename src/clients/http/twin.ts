/**
 * A twin of a client: another object of the same class, whose fields, patches and methods are those of the given client, read at the time of
 * use. What is set on the twin stays on the twin. The given client is never changed.
 *
 * How it is made:
 * 1. The SDK's own class constructs an object, so that the SDK's private members are on it. No constructor of the caller's class runs.
 * 2. Its own members give way to accessors. They read a *view*: an object whose prototype is the given client, and which holds what was set
 *    on the twin.
 * 3. Each resource of the client (`chat`, `chat.completions`) gets a twin too, whose prototype is the resource and whose `_client` is the
 *    twin.
 * 4. Methods of the caller's class that use `#private` members run on the given client, which alone has them.
 *
 * A later member that belongs to the cache is a plain member of the twin, or of the twin of a resource.
 * @module
 */
import { isMethod, type Method, prototypesOf } from './own-code.ts'
import { blankOf, classesOf } from './sdk-class.ts'
import { boundMethods, assertSettable } from './bound-methods.ts'
import { assertOwnResources } from './own-resources.ts'
import { twinResources } from './twin-resources.ts'

/** A field that the twin shows in another form. */
export interface ShownField {
  /** The form on the twin, of the value that the caller gave. */
  readonly shown: (given: unknown) => unknown
  /** The form that a copy of the twin gets. @default the value that the caller gave */
  readonly copied?: (given: unknown) => unknown
}

/** A twin, and what belongs to it. */
export interface Twin<Client extends object> {
  readonly client: Client
  /** The client that the caller gave, below all twins. */
  readonly own: Client
  /** The fields as the caller gave and set them. */
  readonly view: object
  /** What the client's own `withOptions` makes of the twin: a bare client. */
  readonly copied: (options: object) => Client
}

interface Known {
  readonly own: object
  readonly view: object
  readonly names: ReadonlySet<PropertyKey>
}

/** Every twin, so that a twin of a twin starts from all that was set on the first. */
const twins = new WeakMap<object, Known>()

/** The members that the cache itself puts on a twin. They are never taken over by another twin. */
export const ownMembers: ReadonlySet<PropertyKey> = new Set<PropertyKey>(['post', 'withOptions', 'makeRequest', Symbol.for('llmemo.bare')])

/**
 * Makes a twin of `given`.
 * @param fields the fields that the twin shows in another form, by their names
 * @throws {InvalidOptionError} if the caller's class cannot work on a twin
 */
export function twinOf<Client extends object>(given: Client, bare: Client, fields: Readonly<Record<string, ShownField>>): Twin<Client> {
  const before = twins.get(given)
  // A twin of a twin has the same client below.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const own = (before?.own ?? bare) as Client
  if (before === undefined) assertOwnResources(own)
  const view: Record<PropertyKey, unknown> = Object.create(before?.view ?? own)
  const classes = classesOf(own)
  const bound = boundMethods(own, classes)
  const client = blankOf(own, classes)
  const kept = new Set<PropertyKey>(Reflect.ownKeys(client))
  let isCopied = false
  const names = new Set<PropertyKey>([...fieldsOf(own, before), ...Object.keys(fields), ...bound.keys(), ...classes.hooks])
  if (before !== undefined) takeOver(view, given, before.names)
  const resources = twinResources(before === undefined ? own : given, client, classes.constructed)
  for (const name of names) {
    if (kept.has(name)) {
      // The SDK's own accessor that cannot be replaced, on a twin that the SDK's class constructed.
      Reflect.set(client, name, Reflect.get(view, name))
      continue
    }
    const field = typeof name === 'string' && Object.hasOwn(fields, name) ? fields[name] : undefined
    const source = before === undefined || field !== undefined ? view : given
    const read = readerOf(view, name, source, { own, bound, resources })
    const get = field === undefined ? read : () => (isCopied ? (field.copied ?? same)(read()) : field.shown(read()))
    Object.defineProperty(client, name, { ...accessorOf(client, view, name, { get, bound }), enumerable: isEnumerable(view, name) })
  }
  twins.set(client, { own, view, names })
  return {
    client,
    own,
    view,
    copied(options) {
      isCopied = true
      try {
        const method: unknown = bound.has('withOptions') ? bound.get('withOptions') : Reflect.get(view, 'withOptions')
        const changes = bound.has('withOptions') ? { ...view } : {}
        // The SDK's method returns a client of the same class.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        return (isMethod(method) ? Reflect.apply(method, client, [{ ...changes, ...options }]) : client) as Client
      } finally {
        isCopied = false
      }
    },
  }
}

/**
 * Says that all members are on the client. V8 keeps an object with so many members as a table, in which each look-up is slow, unless the
 * object is a prototype: then reading the members that a lane compares takes a quarter of the time.
 */
export function settled<Client extends object>(client: Client): Client {
  Object.create(client)
  return client
}

function same(value: unknown): unknown {
  return value
}

function fieldsOf(own: object, before: Known | undefined): PropertyKey[] {
  return [...Reflect.ownKeys(own), ...(before?.names ?? [])].filter((name) => !ownMembers.has(name))
}

/** Takes over what the caller added to an earlier twin. */
function takeOver(view: object, given: object, names: ReadonlySet<PropertyKey>): void {
  for (const name of Reflect.ownKeys(given)) {
    const descriptor = Object.getOwnPropertyDescriptor(given, name)
    if (descriptor !== undefined && !names.has(name) && !ownMembers.has(name)) Object.defineProperty(view, name, descriptor)
  }
}

/** What a member of the twin is read with. */
interface Reading {
  readonly own: object
  readonly bound: ReadonlyMap<PropertyKey, Method>
  readonly resources: (value: unknown, name: PropertyKey) => unknown
}

function readerOf(
  view: Readonly<Record<PropertyKey, unknown>>,
  name: PropertyKey,
  source: object,
  { own, bound, resources }: Reading,
): () => unknown {
  const forward = bound.get(name)
  if (forward !== undefined) {
    const descriptor = descriptorOf(own, name)
    if (descriptor?.get !== undefined) return () => Reflect.get(own, name)
    return () => (Object.hasOwn(view, name) ? Reflect.get(view, name) : forward)
  }
  if (source !== view) return () => resources(Object.hasOwn(view, name) ? Reflect.get(view, name) : Reflect.get(source, name), name)
  const first: unknown = view[name]
  // A text or a method stays none of the resources. The fast lane reads these fields at each call.
  if (typeof first !== 'object' || first === null) return () => view[name]
  let [last, shown]: unknown[] = []
  return () => {
    const value: unknown = Reflect.get(view, name)
    if (value !== last) [last, shown] = [value, resources(value, name)]
    return shown
  }
}

function descriptorOf(object: object, name: PropertyKey): PropertyDescriptor | undefined {
  for (const each of [object, ...prototypesOf(object)]) {
    const descriptor = Object.getOwnPropertyDescriptor(each, name)
    if (descriptor !== undefined) return descriptor
  }
  return undefined
}

interface Access {
  readonly get: () => unknown
  readonly bound: ReadonlyMap<PropertyKey, Method>
}

function accessorOf(client: object, view: object, name: PropertyKey, { get, bound }: Access): PropertyDescriptor {
  return {
    get,
    set(this: object, value: unknown) {
      const member = { value, writable: true, enumerable: true, configurable: true }
      if (this !== client) {
        Object.defineProperty(this, name, member)
        return
      }
      assertSettable(name, bound)
      Object.defineProperty(view, name, member)
    },
    configurable: true,
  }
}

function isEnumerable(view: object, name: PropertyKey): boolean {
  const descriptor = descriptorOf(view, name)
  return descriptor?.enumerable === true
}
