/**
 * The form in which an SDK gives a result: the class of its promise, the members that it adds, what its helpers make of it. It is learnt
 * from a result of the SDK's own, and known only if all of it is understood.
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { isMethod } from './own-code.ts'
import { isShippedClass } from './sdk-class.ts'
import { type SdkPromise, type SdkProps, type Transform, transformsOf } from './sdk-promise.ts'
import { classOfStream, type StreamClass } from './stored-stream.ts'

/** The class of an SDK's promise. */
export interface PromiseClass {
  new (client: object, props: Promise<SdkProps>, parse: (client: unknown, props: SdkProps) => unknown): SdkPromise
  readonly prototype: object
}

/** How an SDK gives a result. */
export interface ResultForm {
  readonly promise: PromiseClass
  /**
   * The class's own `parse`, if it has no methods but those that are known: then none needs what only the constructor puts on a promise.
   * @default there are others
   */
  readonly parse?: unknown
  /** The class of a streamed result. @default the result is no stream */
  readonly stream?: StreamClass
  /** The members that the SDK adds, and the headers that it reads them from. */
  readonly ids: readonly (readonly [name: string, header: string])[]
  /** What the SDK's helpers make of the result. */
  readonly transforms: readonly Transform[]
}

/** One result of the SDK's own. */
interface Example {
  readonly data: unknown
  readonly props: SdkProps
  /** The members that the SDK may add, by their headers. */
  readonly ids: Readonly<Record<string, string>>
  readonly isStream: boolean
}

/**
 * A promise of the SDK's, less the promise itself: the flight of a call holds what is learnt of the call, and the promise holds the answer.
 * One that is dropped could never be collected. A weak reference would keep all promises of one turn of the event loop until its end.
 */
export interface MadePromise {
  readonly prototype: object
  /** What the SDK's helpers make of the result. */
  readonly transforms: readonly Transform[]
}

/** What is to be known of a promise; `undefined` if it does not come from the SDK's `post`. */
export function madePromise(promise: unknown): MadePromise | undefined {
  const transforms = transformsOf(promise)
  const prototype: unknown = transforms && Object.getPrototypeOf(promise)
  return transforms && typeof prototype === 'object' && prototype !== null ? { prototype, transforms } : undefined
}

/** The form of a result, or `undefined` if it is none that is known. */
export function learntForm({ prototype, transforms }: MadePromise, { data, props, ids, isStream }: Example): ResultForm | undefined {
  const made = classOfPromise(prototype)
  if (made === undefined) return undefined
  const parse = isKnownInFull(prototype) && Reflect.get(prototype, 'parse')
  const form = { promise: made, transforms, ...(parse !== false && { parse }) }
  if (isStream) {
    const stream = isDecodedAsUsual(props.options) ? classOfStream(data) : undefined
    // The SDK adds the members only to what a helper returns.
    return stream && { ...form, stream, ids: transforms.length > 0 ? Object.entries(ids) : [] }
  }
  const added = isJsonObject(data) ? addedTo(data, props.response, ids) : undefined
  return added && { ...form, ids: added }
}

/** Options by which an SDK decodes a stream in another way. */
const decodingOptions = ['__streamClass', '__streamMode', '__synthesizeEventData']

function isDecodedAsUsual(options: unknown): boolean {
  return isJsonObject(options) && decodingOptions.every((name) => options[name] === undefined)
}

/** The members that the SDK added to an answer, with their headers; `undefined` if there is an unknown one. */
function addedTo(data: JsonObject, { headers }: Response, ids: Example['ids']): ResultForm['ids'] | undefined {
  const found: (readonly [string, string])[] = []
  for (const name of Object.getOwnPropertyNames(data)) {
    if (Object.prototype.propertyIsEnumerable.call(data, name)) continue
    const header = ids[name]
    if (header === undefined || data[name] !== headers.get(header)) return undefined
    found.push([name, header])
  }
  return found
}

/** The methods of the promise that a lane relies on. */
const methods = ['then', 'catch', 'finally', 'parse', 'asResponse', 'withResponse', '_thenUnwrap'] as const

/** What is in some versions besides: it needs none of the members that the constructor puts on a promise, unless a call is traced. */
const others = ['constructor', '_responseProps', 'parseResponseTraced']

function isKnownInFull(prototype: object): boolean {
  return Reflect.ownKeys(prototype).every((name) => others.includes(String(name)) || methods.some((known) => known === name))
}

/** The class of promises with this prototype, if it is one of the SDK's as shipped and takes what is expected. */
function classOfPromise(prototype: object): PromiseClass | undefined {
  if (!isShippedClass(prototype, methods)) return undefined
  const made: unknown = Reflect.get(prototype, 'constructor')
  return isPromiseClass(made) ? made : undefined
}

const known = new WeakMap<object, boolean>()

function isPromiseClass(made: unknown): made is PromiseClass {
  if (!isMethod(made)) return false
  const found = known.get(made) ?? keepsWhatItIsGiven(made)
  known.set(made, found)
  return found
}

function keepsWhatItIsGiven(made: Function): boolean {
  const props = new Promise(() => undefined)
  try {
    const tried: unknown = Reflect.construct(made, [{}, props, keepsWhatItIsGiven])
    return isJsonObject(tried) && tried['responsePromise'] === props && tried['parseResponse'] === keepsWhatItIsGiven
  } catch {
    return false
  }
}
