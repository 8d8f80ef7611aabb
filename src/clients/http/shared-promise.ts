/**
 * The SDK's own promise of an answer that an equal call waits for already. If that call brings none, the promise is that of the call as the
 * SDK makes it.
 * @module
 */
import type { CacheInfo } from '../../call.ts'
import type { LaterInfo } from '../../engine/cache-info.ts'
import type { CrowdAnswer, CrowdResult } from '../../engine/crowd.ts'
import type { JsonObject } from '../../json/object.ts'
import { infoLater } from '../cache-info.ts'
import type { Lesson } from '../call-options.ts'
import type { LazyResponse } from '../lazy-response.ts'
import { headFor, type ResponseHead } from './response.ts'
import type { ResultForm } from './result-form.ts'
import type { SdkPromise } from './sdk-promise.ts'
import { isReadAsText, lazySharedResponse, wholeText } from './shared-response.ts'
import { type AnswerProps, finishedWhole } from './stored-promise.ts'
import { Call, promiseOf } from './waiting-promise.ts'

/** A call that waits for an equal one. */
export interface SharedCall {
  readonly client: object
  readonly form: ResultForm
  readonly body: JsonObject
  /** The caller's request options. */
  readonly options: JsonObject | undefined
}

/**
 * The SDK's promise of what an equal call brings.
 * @param make makes the call the documented way, by the SDK's promise: with its part in the flight, if the flight brought no whole answer
 */
export function sharedPromise(
  call: SharedCall,
  result: Promise<CrowdResult<ResponseHead, Uint8Array>>,
  make: (joined: Lesson['joined']) => unknown,
): SdkPromise {
  const { client, form } = call
  const props = result.then((found) => ('items' in found ? new SharedProps(call, found) : new Call(make(found.join()))))
  return promiseOf({ client, form, kind: SharedProps }, props, parsed)
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
