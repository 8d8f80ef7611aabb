/**
 * A recorded stream as the SDK's own `Stream`, whose events are parsed as they are pulled. Nothing is written as server-sent events only to
 * be read again.
 * @module
 */
import { parseEvents, type ServerEvent } from '../../base/server-sent-events.ts'
import { isJsonObject } from '../../json/object.ts'
import { AlikeEvents, type EventForm } from './alike-events.ts'
import { isMethod } from './own-code.ts'
import { isShippedClass } from './sdk-class.ts'

/** The class of an SDK's streams. */
export interface StreamClass {
  new (iterator: () => AsyncIterator<unknown>, controller: AbortController, client: object): object
  fromSSEResponse(response: Response, controller: AbortController, client: object): AsyncIterable<unknown>
}

/**
 * What an SDK does with an event of a stream: it gives the parsed data, leaves the event out, ends the stream, or else something that only
 * the SDK itself can do.
 */
export type EventUse = 'give' | 'leave out' | 'end' | 'other'

/** What an SDK makes of the events of a stream. */
export interface EventRules {
  /** By the name of the event, and by what its data begins with. */
  use(event: ServerEvent): EventUse
  /** Whether the SDK gives this data, and does not take it for an error. */
  isGiven(data: unknown): boolean
  /** What this event may share with those after it. */
  form(data: unknown): EventForm | undefined
}

/** A recorded stream. */
export interface RecordedStream {
  /** One text for each event. */
  readonly texts: readonly string[]
  /** The headers of the answer. */
  readonly headers: Readonly<Record<string, string>>
  readonly rules: EventRules
  readonly client: object
  readonly controller: AbortController
}

/** The class of a stream, if it is one of the SDK's as shipped and takes what is expected. */
export function classOfStream(stream: unknown): StreamClass | undefined {
  if (!isJsonObject(stream) || !isMethod(stream['iterator']) || !(stream['controller'] instanceof AbortController)) return undefined
  const prototype: unknown = Object.getPrototypeOf(stream)
  if (typeof prototype !== 'object' || prototype === null || !isShippedClass(prototype, ['tee', 'toReadableStream'])) return undefined
  const made: unknown = Reflect.get(prototype, 'constructor')
  return isStreamClass(made) ? made : undefined
}

function isStreamClass(made: unknown): made is StreamClass {
  if (!isMethod(made) || !isMethod(Reflect.get(made, 'fromSSEResponse'))) return false
  const controller = new AbortController()
  try {
    const tried: unknown = Reflect.construct(made, [nothing, controller, {}])
    return isJsonObject(tried) && tried['iterator'] === nothing && tried['controller'] === controller
  } catch {
    return false
  }
}

async function* nothing(): AsyncGenerator<never, void> {}

/** The recorded stream as one of the SDK's. */
export function storedStream(made: StreamClass, recorded: RecordedStream): object {
  let isConsumed = false
  const iterator = (): AsyncIterator<unknown> => {
    const events = isConsumed ? again(made, recorded) : new RecordedEvents(made, recorded)
    isConsumed = true
    return events
  }
  return new made(iterator, recorded.controller, recorded.client)
}

type Step = IteratorResult<unknown, undefined>

/** How events are read that are like the one that was learnt last, by SDK: that of a stream is often good for the next one. */
const learntLast = new WeakMap<EventRules, AlikeEvents>()

/** The events of a stream. It is no generator, as one takes more time for an event than to parse it. */
class RecordedEvents implements AsyncIterableIterator<unknown, undefined> {
  readonly #made: StreamClass
  readonly #recorded: RecordedStream
  #next = 0
  /** How events are read that are like one that was given. */
  #alike: AlikeEvents | undefined
  /** How many events may be learnt from: to learn takes as long as to parse some, and is lost where no two are alike. */
  #lessons = 4
  /** How many events in a row were not like the one that was learnt: the first and the last of a stream are of their own kinds. */
  #unlike = 0
  #isOver = false
  /** What gives the events from here on. @default we do */
  #rest: AsyncIterator<unknown> | undefined

  constructor(made: StreamClass, recorded: RecordedStream) {
    this.#made = made
    this.#recorded = recorded
    this.#alike = learntLast.get(recorded.rules)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Step> {
    if (this.#rest !== undefined) return this.#ofRest(this.#rest.next())
    try {
      return Promise.resolve(this.#step())
    } catch (error) {
      this.#end(true)
      return Promise.reject(error)
    }
  }

  /** As the SDK does for a caller that leaves the stream. */
  async return(): Promise<Step> {
    this.#end(!this.#isOver)
    await this.#rest?.return?.()
    return { value: undefined, done: true }
  }

  async throw(error: unknown): Promise<Step> {
    this.#end(!this.#isOver)
    throw error
  }

  #step(): Step | Promise<Step> {
    const { texts, rules, controller } = this.#recorded
    while (!this.#isOver && !controller.signal.aborted) {
      const text = texts[this.#next]
      if (text === undefined) break
      const alike = this.#alike?.read(text)
      if (alike !== undefined && rules.isGiven(alike)) {
        this.#lessons += 0.1
        this.#unlike = 0
        return this.#give(alike)
      }
      const event = eventOf(text)
      const use = event === undefined ? 'leave out' : rules.use(event)
      if (use === 'end') break
      if (use !== 'leave out') {
        const data: unknown = use === 'give' ? JSON.parse(event?.data ?? '') : undefined
        if (use === 'other' || !rules.isGiven(data)) return this.#leaveToSdk()
        if (event !== undefined) this.#learn(text, event, data)
        return this.#give(data)
      }
      this.#next++
    }
    this.#end(false)
    return { value: undefined, done: true }
  }

  #give(value: unknown): Step {
    this.#next++
    return { value, done: false }
  }

  /** Most events of a stream are like the one before. */
  #learn(text: string, { data }: ServerEvent, value: unknown): void {
    this.#unlike++
    if (this.#unlike < 2 || this.#lessons < 1) return
    const { rules } = this.#recorded
    const own = rules.form(value)?.own
    if (own === undefined || !text.endsWith(`data: ${data}\n\n`)) return
    this.#lessons--
    const alike = AlikeEvents.of(text, text.length - data.length - 2, { own, formOf: (event) => rules.form(event) })
    if (alike === undefined) return
    this.#alike = alike
    learntLast.set(rules, alike)
  }

  #leaveToSdk(): Promise<Step> {
    this.#rest = decoded(this.#made, this.#recorded, this.#recorded.texts.slice(this.#next))[Symbol.asyncIterator]()
    return this.#ofRest(this.#rest.next())
  }

  async #ofRest(result: Promise<IteratorResult<unknown>>): Promise<Step> {
    const { value, done } = await result
    if (done !== true) return { value, done: false }
    this.#end(false)
    return { value: undefined, done: true }
  }

  #end(isLeft: boolean): void {
    this.#isOver = true
    if (isLeft) this.#recorded.controller.abort()
  }
}

/** The event in a text of one event. */
function eventOf(text: string): ServerEvent | undefined {
  const from = text.startsWith('data: ') ? 0 : text.startsWith('event: ') ? text.indexOf('\n') + 1 : -1
  const end = text.length - 2
  const isOneLine = from !== -1 && text.startsWith('data: ', from) && text.indexOf('\n', from) === end
  if (!isOneLine) return parseEvents(text)[0]
  const data = text.slice(from + 6, end)
  return from === 0 ? { data } : { event: text.slice(7, from - 1), data }
}

/** The events as the SDK itself decodes them. */
function decoded(made: StreamClass, { headers, controller, client }: RecordedStream, texts: readonly string[]): AsyncIterable<unknown> {
  return made.fromSSEResponse(new Response(texts.join(''), { headers }), controller, client)
}

/** A second reading of a stream, which fails with the SDK's own error. */
async function* again(made: StreamClass, recorded: RecordedStream): AsyncGenerator<unknown, void> {
  const empty = decoded(made, { ...recorded, controller: new AbortController() }, [])
  for await (const _ of empty);
  yield* empty
}
