/**
 * One stream of events. It keeps only the number of the event that it told last, so a client that reads slowly takes no memory.
 * @module
 */
import type { Clock } from 'llmemo'
import type { TenantSpace } from '../access/tenant-space.ts'
import type { EventLog } from './event-log.ts'

/** Milliseconds of silence after which a comment shows that the stream is alive. */
export const heartbeat = 15_000

/** Milliseconds after which a stream ends: its client comes back, and its key is looked at again. */
export const longest = 10 * 60_000

/** Milliseconds after which a client comes back. */
const comeBackAfter = 2_000

/** What a stream needs. */
export interface EventStreamOptions {
  readonly log: EventLog
  readonly clock: Clock
  /** Ends it. */
  readonly closing: AbortSignal
  readonly space: TenantSpace
  /** The id of the event that the client had last. @default it wants only what comes */
  readonly lastId?: string | undefined
  /** Hits, misses and savings so far, as JSON. Told at the beginning, and with a heartbeat when they have changed. */
  readonly savings: () => string
  /**
   * Called when the stream is first read: one whose client is gone before that is read never, and nothing ends it.
   * @returns whether it may begin
   */
  readonly began: () => boolean
  /** Called once the stream has ended, if it had begun. */
  readonly ended: () => void
}

/** A stream of events, as the bytes of `text/event-stream`. It begins when it is read. */
export function eventStream({ log, clock, closing, space, lastId, savings, began, ended }: EventStreamOptions): ReadableStream<Uint8Array> {
  let wake = nothing
  let isBegun = false
  const state = { isOver: false }
  let at = 0
  let toldSavings = ''
  let end = nothing

  const text = (name: string, data: string): string => `event: ${name}\nid: ${log.name}-${at}\ndata: ${data}\n\n`

  const savingsText = (): string => {
    const now = savings()
    if (now === toldSavings) return ''
    toldSavings = now
    return text('savings', now)
  }

  const over = (): void => {
    state.isOver = true
    wake()
  }

  const begin = (): string => {
    isBegun = true
    if (!began()) {
      state.isOver = true
      return `retry: ${comeBackAfter}\n\n`
    }
    const unfollow = log.follow(() => wake())
    const cancelLongest = clock.after(longest, over)
    closing.addEventListener('abort', over)
    end = () => {
      unfollow()
      cancelLongest()
      closing.removeEventListener('abort', over)
      end = nothing
      ended()
    }
    const number = lastId === undefined ? log.last : numberIn(lastId, log.name)
    const isKept = number !== undefined && log.after(number) !== undefined
    at = isKept ? number : log.last
    return `retry: ${comeBackAfter}\n\n${isKept ? '' : text('gap', '{}')}${savingsText()}`
  }

  const news = (): string => {
    const events = log.after(at)
    at = log.last
    if (events === undefined) return text('gap', '{}')
    return events
      .map(({ name, number, dataFor }) => {
        const data = dataFor(space)
        return data === undefined ? '' : `event: ${name}\nid: ${log.name}-${number}\ndata: ${JSON.stringify(data)}\n\n`
      })
      .join('')
  }

  /** Waits for news, a heartbeat or the end. @returns whether it is time for a heartbeat */
  const waited = (): Promise<boolean> =>
    new Promise((resolve) => {
      const cancel = clock.after(heartbeat, () => resolve(true))
      wake = () => {
        cancel()
        resolve(false)
      }
    })

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let told = isBegun ? '' : begin()
        if (closing.aborted) state.isOver = true
        while (told === '' && !state.isOver) {
          told = news()
          if (told === '' && (await waited())) told = `: still here\n\n${savingsText()}`
        }
        if (told !== '') controller.enqueue(encoder.encode(told))
        if (!state.isOver) return
        end()
        controller.close()
      },
      cancel() {
        over()
        end()
      },
    },
    { highWaterMark: 0 },
  )
}

const encoder = new TextEncoder()

function nothing(): void {}

/** The number in an id of this log's; `undefined` in one of another process. */
function numberIn(id: string, name: string): number | undefined {
  const [, log, number] = /^([\da-f]{8})-(\d{1,15})$/.exec(id) ?? []
  return log === name ? Number(number) : undefined
}
