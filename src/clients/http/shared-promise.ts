/**
 * The SDK's own promise of an answer that an equal call waits for already. If that call brings none, the promise is that of the call as the
 * SDK makes it.
 * @module
 */
import type { CacheInfo } from '../../call.ts'
import type { LaterInfo } from '../../engine/cache-info.ts'
import type { CrowdAnswer, CrowdResult } from '../../engine/crowd.ts'
import type { Engine } from '../../engine/engine.ts'
import { infoLater } from '../cache-info.ts'
import type { Lesson } from '../call-options.ts'
import type { LazyResponse } from '../lazy-response.ts'
import { headFor, type ResponseHead } from './response.ts'
import type { ResultForm } from './result-form.ts'
import type { SdkPromise } from './sdk-promise.ts'
import { isReadAsText, lazySharedResponse, wholeText } from './shared-response.ts'
import { type AnswerProps, finishedWhole, parsed as parsedStored, type StoredResult } from './stored-promise.ts'
import { Call, promiseOf, storedProps } from './waiting-promise.ts'

/** A call that waits for an equal one. */
type SharedCall = Pick<StoredResult, 'client' | 'form' | 'body' | 'options' | 'events'>

/** What a call waits for. */
interface Awaited {
  readonly result: Promise<CrowdResult<ResponseHead, Uint8Array>>
  /** Makes the call the documented way, by the SDK's promise: with its part in the flight, if the flight brought no whole answer. */
  readonly make: (joined: Lesson['joined']) => unknown
}

/** The SDK's promise of what an equal call brings. */
export function sharedPromise(engine: Engine, call: SharedCall, { result, make }: Awaited): SdkPromise {
  const props = result.then((brought) => {
    if ('items' in brought) return new SharedProps(call, brought)
    const stored = 'found' in brought ? storedProps(engine, { ...call, ...brought }, brought.found) : undefined
    return stored ?? new Call(make('join' in brought ? brought.join() : undefined))
  })
  return promiseOf(call, props, (answer) => (answer instanceof SharedProps ? parsed(answer) : parsedStored(call.client, answer)))
}

/** Whether an SDK makes its result of an answer with this head by reading it as JSON. */
export function isShareable(head: ResponseHead): boolean {
  const type = head.headers.get('content-type')?.split(';')[0]?.trim() ?? ''
  return isReadAsText(head) && (type === 'application/json' || type.endsWith('+json'))
}

/** What the SDK knows of the response. */
class SharedProps implements AnswerProps {
  readonly #call: SharedCall
  readonly #answer: CrowdAnswer<ResponseHead, Uint8Array>
  readonly #later: LaterInfo
  readonly info: () => CacheInfo
  #isTaken = false
  #response: LazyResponse | undefined

  constructor(call: SharedCall, answer: CrowdAnswer<ResponseHead, Uint8Array>) {
    this.#call = call
    this.#answer = answer
    this.#later = answer.info()
    this.info = infoLater(this.#later)
  }

  get form(): ResultForm {
    return this.#call.form
  }

  get response(): LazyResponse {
    if (this.#response !== undefined) return this.#response
    const { head, items } = this.#answer
    this.#response = lazySharedResponse(head, new Items(items), this.#later)
    if (this.#isTaken) void this.#response.take()
    return this.#response
  }

  get options(): object {
    return { ...this.#call.options, body: this.#call.body, stream: false }
  }

  header(name: string): string | null {
    const { head } = this.#answer
    return (head.joined ??= headFor(head, this.#later)).headers.get(name)
  }

  /** The text, if no code has read it. It then counts as read. */
  take(): string | Promise<string> | undefined {
    if (this.#response !== undefined) return this.#response.take()
    if (this.#isTaken) return undefined
    this.#isTaken = true
    return wholeText(this.#answer.items, this.#answer.head)
  }
}

function parsed(props: SharedProps): unknown {
  // The caller may have read the response already. The SDK's error says so.
  const text = props.take() ?? props.response.text()
  return typeof text === 'string' ? finishedWhole(text, props) : text.then((whole) => finishedWhole(whole, props))
}

/** Chunks that are there, to be read once. */
class Items {
  readonly #items: readonly Uint8Array[]
  #next = 0

  constructor(items: readonly Uint8Array[]) {
    this.#items = items
  }

  async next(): Promise<Uint8Array | undefined> {
    return this.#items[this.#next++]
  }

  leave(): void {
    this.#next = this.#items.length
  }
}
