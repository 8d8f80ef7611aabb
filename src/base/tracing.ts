/**
 * Tracing channels of `node:diagnostics_channel`, by which a program or its observer follows what the cache does. While nothing subscribes,
 * a channel costs one question, and nothing is built.
 * @module
 */
import { builtinModule } from './runtime.ts'

/** The channels of one name: https://nodejs.org/api/diagnostics_channel.html#tracingchannel-channels */
interface Channels {
  readonly hasSubscribers: boolean
  readonly start: StartChannel
  readonly end: Channel
  readonly asyncStart: Channel
  readonly asyncEnd: Channel
  readonly error: Channel
}

interface Channel {
  publish(context: unknown): void
}

interface StartChannel extends Channel {
  runStores<Value>(context: object, work: () => Value): Value
}

/** One tracing channel. The module is loaded when the first one is made. */
export class Tracing<Context extends object> {
  readonly #channels: Channels | undefined

  /** @param name such as `llmemo:lookup` */
  constructor(name: string) {
    const module = builtinModule((load) => load('node:diagnostics_channel'))
    this.#channels = module?.tracingChannel?.(name)
  }

  /** Whether anything subscribes to the channel. */
  get isHeard(): boolean {
    return this.#channels?.hasSubscribers === true
  }

  /**
   * Does the work between `start` and `end`, and of a promise tells `asyncStart` and `asyncEnd` when it has settled. Call it only while the
   * channel is heard. Work that rejects tells `error` before that.
   * @param context what is told; the same object each time
   * @param note adds to the context what came of the work
   */
  run<Value>(context: Context, work: () => Value, note: (context: Context, value: Awaited<Value>) => void): Value {
    const channels = this.#channels
    if (channels === undefined) return work()
    // What subscribers have bound to `start`, such as the span of the caller, holds for the work.
    return channels.start.runStores(context, () => {
      const result = work()
      if (result instanceof Promise) {
        // Watched beside the caller, whose own promise is passed on untouched.
        const succeeded = (value: Awaited<Value>): void => {
          note(context, value)
          settle(channels, context)
        }
        const failed = (): void => {
          channels.error.publish(context)
          settle(channels, context)
        }
        result.then(succeeded, failed)
      } else {
        // What is no promise is its own awaited value.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        note(context, result as Awaited<Value>)
      }
      channels.end.publish(context)
      return result
    })
  }

  /** Tells that something begins. @returns a function that tells that it is over; `undefined` if the channel is not heard */
  begin(context: () => Context): ((note: Partial<Context>, isFault: boolean) => void) | undefined {
    const channels = this.#channels
    if (channels === undefined || !this.isHeard) return undefined
    const told = context()
    channels.start.publish(told)
    channels.end.publish(told)
    return (note, isFault) => {
      Object.assign(told, note)
      if (isFault) channels.error.publish(told)
      settle(channels, told)
    }
  }
}

function settle({ asyncStart, asyncEnd }: Channels, context: object): void {
  asyncStart.publish(context)
  asyncEnd.publish(context)
}
