/**
 * Lets the time-outs of SDKs pass without waiting, and without a race between a time-out and the request that it is for.
 * @module
 */
import { vi } from 'vitest'
import { settle } from './chat.ts'
import type { ProviderServer } from './provider-server.ts'

/** Milliseconds to give to the SDK as its time-out: far more than its pauses between two tries. */
export const timeout = 60_000

/**
 * Makes calls to a server that never answers, on timers that only this function moves.
 * @param tries how many requests each round of tries sends in all: time-outs pass once the server has them
 */
export async function timedOut<Result>(server: ProviderServer, tries: readonly number[], ask: () => Promise<Result>): Promise<Result> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const result = ask()
    let sent = 0
    for (const count of tries) {
      sent += count
      while (server.requests.length < sent) {
        // The pause before another try.
        vi.advanceTimersByTime(100)
        await settle()
      }
      vi.advanceTimersByTime(timeout)
      await settle()
    }
    return await result
  } finally {
    vi.useRealTimers()
  }
}
