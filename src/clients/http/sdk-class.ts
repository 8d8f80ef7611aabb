/**
 * Which classes a client is made of: the SDK's, and the caller's upon them. Names are no help, as bundlers change them.
 * @module
 */
import { isMethod, type Method, prototypesOf } from './own-code.ts'

/** The classes of a client. */
export interface Classes {
  /** The prototype of the SDK's first class, which all of its clients have. */
  readonly root: object
  /** The class that constructs a twin: the SDK's first class, or that of a client for another cloud, which has private members. */
  readonly made: object
  /** The prototypes above, which may be the caller's. The nearest first. */
  readonly others: readonly object[]
  /** The names of the methods of the SDK's first class. Others override or patch them. */
  readonly hooks: readonly string[]
  /** The resources that the constructor made, by their names. */
  readonly constructed: Map<PropertyKey, unknown>
}

/** Finds the classes of `own`. */
export function classesOf(own: object): Classes {
  const chain = prototypesOf(own)
  const rootAt = chain.findLastIndex((each) => Object.hasOwn(each, 'post'))
  const root = chain[rootAt] ?? Object.prototype
  const madeAt = chain.findLastIndex((each, index) => index < rootAt && isForAnotherCloud(own, each))
  return {
    root,
    made: chain[madeAt] ?? root,
    others: chain.slice(0, madeAt === -1 ? rootAt : madeAt),
    hooks: Object.getOwnPropertyNames(root).filter(
      (name) => name !== 'constructor' && isMethod(Object.getOwnPropertyDescriptor(root, name)?.value),
    ),
    constructed: new Map(),
  }
}

/** Whether a class of the SDK needs its own constructor: it signs requests by private methods, or guards its base URL. */
function isForAnotherCloud(own: object, prototype: object): boolean {
  if (Object.hasOwn(prototype, 'backendMiddleware')) return Object.hasOwn(own, 'skipAuth') || Object.hasOwn(own, '_authClientPromise')
  return Object.hasOwn(own, 'bedrockTokenProvider') && Object.hasOwn(prototype, 'authHeaders') && Object.hasOwn(prototype, 'withOptions')
}

/** An object of the SDK's own class without members, of the prototype of `own`. Members that cannot be removed stay. */
export function blankOf<Client extends object>(own: Client, { root, made, constructed }: Classes): Client {
  const construct: unknown = Reflect.get(made, 'constructor')
  if (!isMethod(construct)) throw new TypeError('llmemo: the class of the client has no constructor')
  const blank: unknown = Reflect.construct(construct, [made === root ? optionsOf(own) : optionsOfCloud(own)])
  for (const name of Reflect.ownKeys(Object(blank))) {
    constructed.set(name, Object.getOwnPropertyDescriptor(Object(blank), name)?.value)
    Reflect.deleteProperty(Object(blank), name)
  }
  // It has the private members of the SDK's class and the prototype of the given client.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.setPrototypeOf(blank, Object.getPrototypeOf(own)) as Client
}

/** The options of the constructor. All fields are read from the given client, so only what private members are made of counts. */
function optionsOf(own: object): object {
  const options: unknown = Reflect.get(own, '_options')
  const auth: unknown = Reflect.get(own, '_authState')
  const hasProvider = Reflect.get(Object(options), 'provider') !== undefined
  return {
    ...Object(options),
    // A provider of the caller's is not set up again; the twin reads what the given client made of it.
    ...(hasProvider && { provider: undefined, apiKey: 'llmemo' }),
    dangerouslyAllowBrowser: true,
    // The SDK must not look for credentials again.
    ...(auth !== undefined && { __auth: auth, __baseURLIsExplicit: Reflect.get(own, '_baseURLIsExplicit') }),
  }
}

/** The same for a client of another cloud. Its constructor must not look for credentials, as it may start a process or ask a server. */
function optionsOfCloud(own: object): object {
  const [baseURL, awsRegion, region, projectId, workspaceId, bedrockTokenProvider] = [
    'baseURL',
    'awsRegion',
    'region',
    'projectId',
    'workspaceId',
    'bedrockTokenProvider',
  ].map((name): unknown => Reflect.get(own, name))
  const options = { ...optionsOf(own), baseURL, apiKey: null, authToken: null }
  if (Object.hasOwn(own, 'bedrockTokenProvider')) {
    const token: unknown = Reflect.get(own, 'apiKey')
    return { ...options, awsRegion, bedrockTokenProvider, apiKey: isMethod(bedrockTokenProvider) ? undefined : token }
  }
  if (Object.hasOwn(own, '_authClientPromise')) return { ...options, region, projectId, googleAuth: null, authClient: {} }
  const keys = { awsAccessKey: null, awsSecretKey: null, awsSecretAccessKey: null, awsSessionToken: null, awsProfile: null }
  return { ...options, ...keys, awsRegion: awsRegion ?? 'us-east-1', workspaceId, skipAuth: true, providerChainResolver: null }
}

/** Whether one of these methods of a client is not that of the SDK's first class, or that class was patched. */
export function isOverridden(client: object, methods: readonly string[]): boolean {
  const root = prototypesOf(client).findLast((each) => Object.hasOwn(each, 'post'))
  if (root === undefined) return true
  return methods.some((name) => {
    const method: unknown = Reflect.get(client, name)
    return method !== Reflect.get(root, name) || (isMethod(method) && isPatch(root, method))
  })
}

/** Whether a method was put on a class later. A class that a compiler turned into functions does not tell. */
function isPatch(root: object, method: Method): boolean {
  return sourceOf(root).startsWith('class') && !isShipped(root, method)
}

/** Whether the SDK shipped this method: the text of a class holds the text of each of its methods. */
export function isShipped(root: object, method: Method): boolean {
  const known = shipped.get(method) ?? sourceOf(root).includes(String(method))
  shipped.set(method, known)
  return known
}

/** Whether `method` is the member `name` of an object as its class was shipped. */
export function isShippedMethod(object: object, name: string, method: Method): boolean {
  const owner = prototypesOf(object).find((each) => Object.getOwnPropertyDescriptor(each, name)?.value === method)
  return owner !== undefined && isShipped(owner, method)
}

/** Whether a class has these methods, each as it was shipped. */
export function isShippedClass(prototype: object, names: readonly string[]): boolean {
  return names.every((name) => {
    const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value
    return isMethod(method) && isShipped(prototype, method)
  })
}

const shipped = new WeakMap<Method, boolean>()

function sourceOf(root: object): string {
  return String(Object.getOwnPropertyDescriptor(root, 'constructor')?.value)
}
