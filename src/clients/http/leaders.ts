/**
 * The calls of a lane that are under way, and equal calls that wait for them where the SDK's method begins: of ten thousand at once, the SDK
 * makes one request.
 * @module
 */
import type { CachedCall } from '../../engine/cached-call.ts'
import { type CrowdRules, WaitingCrowd } from '../../engine/crowd.ts'
import type { Engine } from '../../engine/engine.ts'
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import type { Reading } from '../../json/reading.ts'
import { readOnce } from '../../json/read-once.ts'
import type { Lesson } from '../call-options.ts'
import { type CallContext, readBody, type ReadCall } from './call-context.ts'
import type { ResponseHead } from './response.ts'
import type { MadePromise, ResultForm } from './result-form.ts'
import type { SdkPromise } from './sdk-promise.ts'
import type { EventRules } from './stored-stream.ts'
import { isShareable, sharedPromise } from './shared-promise.ts'

/** The part of a caller's time limit for which its call waits. After that the SDK makes the call, with a time limit of its own. */
const shareOfTimeout = 1 / 10

/** How many calls are known at a time. */
const maxLeaders = 10_000

/** What the calls of a crowd say. */
type Said = Pick<ReadCall, 'reading' | 'context'>

type Crowd = WaitingCrowd<ResponseHead, Uint8Array, Said>

/** A call that others may wait for. */
interface Leader {
  readonly reading: Reading
  readonly crowd: Crowd
  readonly form: ResultForm
  /** Body and options of a call that waits, as they were. */
  given?: Pick<ReadCall, 'body' | 'options'>
}

/** What the calls of a client work with. */
export interface LeadersOptions {
  readonly engine: Engine
  readonly client: object
  /** What the SDK makes of the events of a stream. */
  readonly events: EventRules
}

/** The calls of one client that are under way. */
export class Leaders implements CrowdRules<ResponseHead, Said> {
  readonly #engine: Engine
  readonly #client: object
  readonly #events: EventRules
  readonly #bySum = new Map<number, Leader>()
  /** The forms of whole answers, by their methods. What helpers make of an answer differs from call to call. */
  readonly #forms = new Map<string, { readonly generation: number; readonly form: ResultForm }>()

  constructor({ engine, client, events }: LeadersOptions) {
    this.#engine = engine
    this.#client = client
    this.#events = events
  }

  /** What equal calls of a call are to wait by; `undefined` if none may wait for it. */
  crowdFor(reading: Reading, context: CallContext): Crowd | undefined {
    const isRoom = this.#bySum.size < maxLeaders && !this.#bySum.has(reading.sum)
    if (!isRoom || !this.#forms.has(context.method) || this.#timeout === undefined || !this.#mayWait()) return undefined
    return new WaitingCrowd(this.#engine, this, { reading, context })
  }

  isSame({ reading, context }: Said, { request }: CachedCall): boolean {
    return readBody(request, context)?.reading.isSame(reading) === true
  }

  isReadable(head: ResponseHead): boolean {
    return isShareable(head)
  }

  patience(): number {
    return (this.#timeout ?? 0) * shareOfTimeout
  }

  closed({ reading }: Said): void {
    if (this.#bySum.get(reading.sum)?.reading === reading) this.#bySum.delete(reading.sum)
  }

  /** Notes the form of a whole answer. */
  learn({ method, generation }: CallContext, form: ResultForm): void {
    this.#forms.set(method, { generation, form })
  }

  /** Notes a call that others may wait for, if it is known what its result will be. */
  note({ reading, context }: Said, crowd: Crowd, { prototype, transforms }: MadePromise): void {
    const known = this.#forms.get(context.method)
    if (known?.generation !== context.generation || known.form.promise.prototype !== prototype || this.#bySum.has(reading.sum)) return
    this.#bySum.set(reading.sum, { reading, crowd, form: { ...known.form, transforms } })
  }

  /**
   * The SDK's promise of what an equal call brings; `undefined` if there is none to wait for.
   * @param make makes the call the documented way, with body and options as they were
   */
  join(
    { reading, ...call }: ReadCall,
    make: (body: JsonObject, options: JsonObject | undefined, joined: Lesson['joined']) => unknown,
  ): SdkPromise | undefined {
    const leader = this.#bySum.get(reading.sum)
    if (leader === undefined || !leader.reading.isSame(reading) || !this.#mayWait()) return undefined
    const result = leader.crowd.join()
    if (result === undefined) return undefined
    // The caller may change them while it waits. Those of an equal call say the same.
    const { body, options } = (leader.given ??= copyOf(call))
    const shared = { client: this.#client, form: leader.form, body, options, events: this.#events }
    return sharedPromise(this.#engine, shared, { result, make: (joined) => make(body, options, joined) })
  }

  /** The time limit of the client's calls, in milliseconds, if it is one. */
  get #timeout(): number | undefined {
    const timeout: unknown = Reflect.get(this.#client, 'timeout')
    return typeof timeout === 'number' ? timeout : undefined
  }

  /** Whether no code is told of what the documented way does for each of these calls. */
  #mayWait(): boolean {
    const { events, tiers, missLog, settings } = this.#engine
    return !events.isHeard('key') && !tiers.isFollowed && missLog === undefined && settings.recordings === undefined
  }
}

function copyOf({ body, options }: Pick<ReadCall, 'body' | 'options'>): Pick<ReadCall, 'body' | 'options'> {
  const [ownBody, ownOptions] = [body, options].map((given) => readOnce(given).copy)
  return { body: isJsonObject(ownBody) ? ownBody : {}, options: isJsonObject(ownOptions) ? ownOptions : undefined }
}
