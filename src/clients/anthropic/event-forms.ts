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
  // A member that is named is set faster than one by a variable, which shows in a stream.
  if (typeof delta['text'] === 'string') return { own: ['text'], make: ([text]) => ({ ...event, delta: { ...delta, text } }) }
  const piece = ['thinking', 'partial_json'].find((name) => typeof delta[name] === 'string')
  return piece === undefined ? undefined : { own: [piece], make: ([text]) => ({ ...event, delta: { ...delta, [piece]: text } }) }
}
