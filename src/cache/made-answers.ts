/**
 * Answers that a function of the user's makes: looked up, else made once for all who ask at the same time, and stored.
 * @module
 */
import type { Call, CachedCall } from '../engine/cached-call.ts'
import { resolveFor } from '../engine/resolve.ts'
import { wholeEntry } from '../engine/draft.ts'
import type { Engine } from '../engine/engine.ts'
import { exchange } from '../engine/exchange.ts'
import { flightsByEngine } from '../engine/flight/flights.ts'
import type { FlightHead, Seam } from '../engine/seam.ts'
import { refusedCall } from '../engine/settings/recorded.ts'
import { jsonText } from '../json/value.ts'
import { wholeAnswer } from '../providers/stored-answer.ts'
import { answerIn, storedForm } from './text-requests.ts'

/** What was made: the answer, and its text, if JSON can hold it. */
interface Made {
  readonly value: unknown
  readonly text: string | undefined
}

const flightsOf = flightsByEngine<FlightHead<Made>, never>()

/**
 * The stored answer to a call, or the one that `make` makes. Each caller gets a copy of its own. What JSON cannot hold is returned as it is,
 * and not stored. Rejects as `make` does, which counts as an outage of the provider.
 */
export async function getOrMake<Value>(engine: Engine, call: Call, make: () => Value | Promise<Value>): Promise<Value> {
  const cachedCall = resolveFor(engine, call)
  if ('reason' in cachedCall) {
    const refused = refusedCall(engine.settings, cachedCall.reason)
    engine.bypass(cachedCall)
    if (refused !== undefined) throw refused
    return make()
  }
  // Callers with one key are callers of one function, so what is stored is what it makes.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (await exchange(engine, seamOf(engine, cachedCall, make))) as Value
}

function seamOf(engine: Engine, cachedCall: CachedCall, make: () => unknown): Seam<Made, never, unknown> {
  return {
    cachedCall,
    signal: undefined,
    flights: flightsOf(engine),
    async start() {
      const value = await make()
      return { head: { value, text: textOf(value) }, items: nothing(), shareable: true }
    },
    isOutage: (said) => 'error' in said,
    size: () => 0,
    draft({ head: { text }, unusable, latency }) {
      if (unusable !== undefined || text === undefined) return unusable ?? 'not JSON'
      const body = storedForm(text)
      return wholeEntry(cachedCall, JSON.parse(body), { body, headers: {}, latency })
    },
    stored({ entry }, info) {
      const answer = wholeAnswer(entry, cachedCall.endpoint)
      info()
      return answer && answerIn(answer)
    },
    async shared({ value, text }, reader) {
      // The flight ends, and the answer is stored, once a caller has read it to its end.
      await reader.next()
      return text === undefined ? value : JSON.parse(text)
    },
    missing(_, error) {
      throw error
    },
  }
}

/** What was made reaches its caller even when it cannot be stored. */
function textOf(value: unknown): string | undefined {
  try {
    return jsonText(value)
  } catch {
    return undefined
  }
}

async function* nothing(): AsyncGenerator<never, undefined> {}
