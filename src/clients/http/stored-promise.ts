/**
 * The SDK's own promise of a stored answer.
 * @module
 */
import type { CacheInfo } from '../../call.ts'
import type { CachedCall } from '../../engine/cached-call.ts'
import type { Engine } from '../../engine/engine.ts'
import type { LookupResult } from '../../lookup-result.ts'
import { storedEventTexts, wholeBody } from '../../providers/stored-answer.ts'
import { attachInfo, noteInfo } from '../cache-info.ts'
import { LazyResponse, materialise } from '../lazy-response.ts'
import { lazyResponse, storedResponse } from './response.ts'
import type { ResultForm } from './result-form.ts'
import { informed, type SdkPromise, type SdkProps, type Transform } from './sdk-promise.ts'
import { type EventRules, storedStream } from './stored-stream.ts'

/** A stored answer, and how its caller gets it. */
export interface StoredResult {
  readonly client: object
  readonly form: ResultForm
  readonly found: LookupResult
  readonly cachedCall: CachedCall
  readonly url: string
  readonly body: object
  /** The caller's request options. */
  readonly options: object | undefined
  /** What the SDK makes of the events of a stream. */
  readonly events: EventRules
}

/** Counts the hit. @returns the SDK's promise of the stored answer */
export function storedPromise(engine: Engine, result: StoredResult): SdkPromise {
  const props = new StoredProps(engine, result)
  const ready = Promise.resolve(props)
  // No listener is called before the caller has its promise. `queueMicrotask` would take twice as long.
  if (!props.isCounted) void ready.then(count)
  return promiseOf(props, ready)
}

const propsOf = Symbol('llmemo.props')

/** The SDK's promise of a stored answer, with the methods that are ours. */
interface StoredPromise extends Omit<SdkPromise, 'parseResponse' | '_thenUnwrap'> {
  responsePromise: Promise<StoredProps>
  parsedPromise: Promise<unknown> | undefined
  parseResponse: (client: unknown, props: SdkProps) => unknown
  parse: (this: StoredPromise) => Promise<unknown>
  _thenUnwrap(this: StoredPromise, transform: Transform): SdkPromise
  [propsOf]: StoredProps
}

/** The parameters of a promise that never settles: the SDK's own never does either, as its `then` is that of another one. */
const unsettled: readonly unknown[] = [() => {}]

/**
 * An instance of the SDK's class. Its constructor would take twice as long, as it notes each promise in a `WeakMap`: of the methods, those
 * that look there are ours.
 */
function promiseOf(props: StoredProps, ready: Promise<StoredProps>): StoredPromise {
  const { client, form } = props.result
  const { promise: made, stream } = form
  const parseResponse = stream === undefined ? parsed : parsedStream
  const isUsual = form.parse !== undefined && Reflect.get(made.prototype, 'parse') === form.parse
  // It has the prototype of the SDK's class, and gets its members here.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const promise = (isUsual ? Reflect.construct(Promise, unsettled, made) : new made(client, ready, parseResponse)) as StoredPromise
  promise.responsePromise = ready
  promise.parseResponse = parseResponse
  promise.parsedPromise = undefined
  promise[propsOf] = props
  if (isUsual) promise.parse = parse
  promise.asResponse = asResponse
  promise.withResponse = stream === undefined ? withResponse : withStream
  promise._thenUnwrap = thenUnwrap
  return promise
}

/** Makes the result when it is first asked for. One that is not counted yet waits for that, as it calls a listener. */
function parse(this: StoredPromise): Promise<unknown> {
  const props = this[propsOf]
  return (this.parsedPromise ??= props.isCounted ? settled(this, props) : this.responsePromise.then(() => settled(this, props)))
}

function settled(promise: StoredPromise, props: StoredProps): Promise<unknown> {
  try {
    return Promise.resolve(promise.parseResponse(props.result.client, props))
  } catch (error) {
    return Promise.reject(error)
  }
}

/** What the SDK knows of a response when it makes the result: here only as much as is asked for. */
export class StoredProps implements SdkProps {
  readonly engine: Engine
  readonly result: StoredResult
  #facts: (() => CacheInfo) | undefined
  #isTaken = false
  #response: Response | undefined
  #controller: AbortController | undefined

  constructor(engine: Engine, result: StoredResult) {
    this.engine = engine
    this.result = result
    if (!engine.events.isHeard('hit')) this.count()
  }

  /** Whether the hit was counted. It is at once, unless that calls a listener. */
  get isCounted(): boolean {
    return this.#facts !== undefined
  }

  /** Counts the hit, unless it was counted. */
  count(): void {
    this.#facts ??= this.engine.hit(this.result.cachedCall, this.result.found)
  }

  /** Makes the facts of the hit, which is counted by then: the caller has its promise. */
  get info(): () => CacheInfo {
    return (this.#facts ??= this.engine.hit(this.result.cachedCall, this.result.found))
  }

  /** Whether the answer was not read by any code. It then counts as read. */
  take(): boolean {
    if (this.#response instanceof LazyResponse) return this.#response.take() !== undefined
    if (this.#response !== undefined || this.#isTaken) return false
    return (this.#isTaken = true)
  }

  get response(): Response {
    return (this.#response ??= this.#makeResponse())
  }

  #makeResponse(): Response {
    const { engine, info, controller } = this
    const { found, cachedCall, url } = this.result
    if (cachedCall.streamed) {
      const response = storedResponse(found, cachedCall, { url, replay: engine.settings.replay, signal: controller.signal })
      noteInfo(response, info)
      return response
    }
    const response = lazyResponse(found, cachedCall, { url, info })
    if (this.#isTaken) void response.take()
    return response
  }

  get options(): object {
    const { options, body, cachedCall } = this.result
    return { ...options, body, stream: cachedCall.streamed }
  }

  get controller(): AbortController {
    return (this.#controller ??= new AbortController())
  }

  get requestLogID(): string {
    return 'log_llmemo'
  }

  get retryOfRequestLogID(): undefined {
    return undefined
  }

  get startTime(): number {
    return Date.now()
  }
}

function count(props: StoredProps): void {
  props.count()
}

/** The result of a stored answer, as the SDK makes it of a response. */
export function parsed(_: unknown, props: SdkProps): unknown {
  if (!(props instanceof StoredProps)) return undefined
  const { found, cachedCall } = props.result
  if (props.take()) return finished(withIds(JSON.parse(String(wholeBody(found.entry, cachedCall.endpoint))), props), props)
  // The caller has read the response already. The SDK's error says so.
  return props.response.text().then((text) => finished(withIds(JSON.parse(text), props), props))
}

/** The same for a stream. */
function parsedStream(_: unknown, props: SdkProps): unknown {
  if (!(props instanceof StoredProps)) return undefined
  const { form, found, cachedCall, client, events: rules } = props.result
  if (form.stream === undefined) return undefined
  const { controller } = props
  noteInfo(controller.signal, props.info)
  // Who has the response reads the same stream as the SDK.
  if (!props.take()) return finished(form.stream.fromSSEResponse(props.response, controller, client), props)
  const { headers } = found.entry.head
  const recorded = { texts: storedEventTexts(found.entry, cachedCall), headers, rules, client, controller }
  return finished(storedStream(form.stream, recorded), props)
}

/** The result with what the SDK's helpers make of it, and with the facts. */
function finished(result: unknown, props: StoredProps): unknown {
  let data = result
  for (const transform of props.result.form.transforms) data = withIds(transform(data, props), props)
  attachInfo(data, props.info)
  return data
}

/** A result with what one more helper makes of it. */
export function unwrapped(result: unknown, transform: Transform, props: StoredProps): unknown {
  const data = withIds(transform(result, props), props)
  attachInfo(data, props.info)
  return data
}

/** `data` with the members that the SDK adds. */
function withIds(data: unknown, { result }: StoredProps): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data
  const { headers } = result.found.entry.head
  for (const [name, header] of result.form.ids)
    if (!Object.hasOwn(data, name)) Object.defineProperty(data, name, { value: headers[header] ?? null })
  return data
}

async function asResponse(this: SdkPromise): Promise<Response> {
  return materialise(await prototypeOf(this).asResponse.call(this))
}

async function withResponse(this: SdkPromise): Promise<SdkProps> {
  const result = await prototypeOf(this).withResponse.call(this)
  return { ...result, response: materialise(result.response) }
}

/** The same for a stream, which reads from the response that the caller gets: this must be made first. */
async function withStream(this: SdkPromise): Promise<SdkProps> {
  await prototypeOf(this).asResponse.call(this)
  return withResponse.call(this)
}

function thenUnwrap(this: StoredPromise, transform: Transform): SdkPromise {
  const { client, form } = this[propsOf].result
  const promise = new form.promise(client, this.responsePromise, this.parseResponse)
  return informed(promise._thenUnwrap(transform))
}

/** The methods of the SDK's class, below those that {@link storedPromise} puts on a promise. */
function prototypeOf(promise: SdkPromise): SdkPromise {
  return Object.getPrototypeOf(promise)
}
