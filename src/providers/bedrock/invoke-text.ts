/**
 * The text in which an answer of InvokeModel is stored: its other members, and then its body, which stays as the model wrote it.
 * @module
 */
import { hasRoundedInteger } from '../../json/exact.ts'
import { isJsonObject, type JsonObject } from '../../json/object.ts'

/** The stored text; `undefined` if the body is not JSON, or has an integer that JavaScript rounds, and so would differ if it is put together. */
export function keepInvoked(rest: JsonObject, body: string): string | undefined {
  return isJson(body) && !hasRoundedInteger(body) ? joined(rest, body) : undefined
}

/** The members of a stored text, with the body as text. */
export function readInvoked(text: string): { readonly rest: JsonObject; readonly body: string } {
  const parsed: unknown = JSON.parse(text)
  const { body, ...rest }: JsonObject = isJsonObject(parsed) ? parsed : {}
  const before = joined(rest, '').slice(0, -1)
  return { rest, body: text.startsWith(before) ? text.slice(before.length, -1) : JSON.stringify(body) }
}

/** An object's text with `body` as its last member, so that the body can be cut out again unchanged. */
export function joined(rest: JsonObject, body: string): string {
  const text = JSON.stringify(rest)
  return `${text.slice(0, -1)}${text === '{}' ? '' : ','}"body":${body}}`
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
