/**
 * Which events of Anthropic's streams say the same but for a piece of the answer.
 * @module
 */
import { isJsonObject } from '../../json/object.ts'
import { type EventForm, isFlat } from '../http/alike-events.ts'

/** The form of an event with a piece of a text, of thinking or of a tool's input. @returns `undefined` for any other event */
export function eventForm(event: unknown): EventForm | undefined {
  if (!isJsonObject(event)) return undefined
  const { delta } = event
  if (!isJsonObject(delta) || !isFlat(delta) || !isFlat(event, 'delta')) return undefined
  if (typeof delta['text'] === 'string') return { own: ['text'], make: ([text]) => ({ ...event, delta: { ...delta, text } }) }
  if (typeof delta['thinking'] === 'string') {
    return { own: ['thinking'], make: ([thinking]) => ({ ...event, delta: { ...delta, thinking } }) }
  }
  if (typeof delta['partial_json'] !== 'string') return undefined
  // Its text is JSON, and most of its pieces have quotes: such a one is parsed.
  return { own: ['partial_json'], make: ([json]) => ({ ...event, delta: { ...delta, partial_json: json } }) }
}
