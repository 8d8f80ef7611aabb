/**
 * Which events of OpenAI's streams say the same but for a piece of the answer.
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { type EventForm, isFlat } from '../http/alike-events.ts'

/** The form of a chunk of a chat, or of an event with a piece of a response. @returns `undefined` for any other event */
export function eventForm(event: unknown): EventForm | undefined {
  if (!isJsonObject(event)) return undefined
  const { choices } = event
  if (choices === undefined) return formOfDelta(event)
  const choice: unknown = Array.isArray(choices) && choices.length === 1 ? choices[0] : undefined
  return isJsonObject(choice) && isFlat(event, 'choices') ? formOfChunk(event, choice) : undefined
}

/** Where a chunk of a chat has its pieces; the last two are those of services that OpenAI's SDK can ask. */
const pieces = ['content', 'refusal', 'reasoning_content', 'reasoning']

function formOfChunk(chunk: JsonObject, choice: JsonObject): EventForm | undefined {
  const { delta } = choice
  if (!isJsonObject(delta) || !isFlat(choice, 'delta') || !isFlat(delta)) return undefined
  const own = pieces.filter((name) => typeof delta[name] === 'string')
  if (own.length === 0) return undefined
  const make = (values: readonly unknown[]): JsonObject => {
    const made = { ...delta }
    for (let index = 0; index < own.length; index++) made[own[index] ?? ''] = values[index]
    const choices = [{ ...choice, delta: made }]
    const filler = values[own.length]
    return filler === undefined ? { ...chunk, choices } : { ...chunk, choices, obfuscation: filler }
  }
  return { own: [...own, ...obfuscationOf(chunk)], make }
}

/** The form of an event of the Responses API that has a piece of a text. */
function formOfDelta(event: JsonObject): EventForm | undefined {
  const { logprobs } = event
  const isPiece = typeof event['delta'] === 'string' && typeof event['sequence_number'] === 'number'
  if (!isPiece || !isFlat(event, 'logprobs')) return undefined
  const hasNone = Array.isArray(logprobs) && logprobs.length === 0
  if (logprobs !== undefined && !hasNone) return undefined
  const make = ([delta, number, filler]: readonly unknown[]): JsonObject => {
    const made: JsonObject = { ...event, delta, sequence_number: number }
    if (hasNone) made['logprobs'] = []
    if (filler !== undefined) made['obfuscation'] = filler
    return made
  }
  return { own: ['delta', 'sequence_number', ...obfuscationOf(event)], make }
}

/** OpenAI fills up its events with random characters, so that their lengths say nothing. */
function obfuscationOf(event: JsonObject): string[] {
  return typeof event['obfuscation'] === 'string' ? ['obfuscation'] : []
}
