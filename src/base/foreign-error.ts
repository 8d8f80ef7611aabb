/**
 * What may be shown of an error that is not ours. Its message may quote anything: a URL with a password, a value, what a server answered.
 * So only its name and what the system says of it are shown, and only in their known forms.
 * @module
 */
import { isShowable, LlmemoError } from '../errors.ts'

function shownMember(error: unknown, member: string, form: RegExp): string {
  const value: unknown = Reflect.get(Object(error), member)
  return (typeof value === 'string' || typeof value === 'number') && form.test(String(value)) ? String(value) : ''
}

/** The name of an error: `TypeError`; of any other value its type. */
export function nameOf(error: unknown): string {
  const name: unknown = Reflect.get(Object(error), 'name')
  const isName = typeof name === 'string' && (isShowable(name) || /^[A-Z][A-Za-z]{1,79}$/.test(name))
  return isName ? name : error instanceof Error ? 'Error' : typeof error
}

/** The code by which a system, a library or a database names a failure: `ECONNREFUSED`, `SQLITE_BUSY`; empty when there is none. */
export function codeOf(error: unknown): string {
  return shownMember(error, 'code', /^[A-Z]{2,20}(?:_[A-Z\d]{1,20}){0,4}$/)
}

/** What the system says: `connect ECONNREFUSED 127.0.0.1:6379`; empty when it says nothing. */
export function systemReasonOf(error: unknown): string {
  const address = shownMember(error, 'address', /^[\da-f.:]{2,45}$/i)
  const port = shownMember(error, 'port', /^\d{1,5}$/)
  const parts = [shownMember(error, 'syscall', /^[a-z]{2,20}$/), codeOf(error), port === '' ? address : `${address}:${port}`]
  return parts.filter((part) => part !== '').join(' ')
}

/** An error in the place of one that is not ours, to be the cause of ours. One of ours is kept. @param message @default what the system says */
export function withoutContent(error: unknown, message = systemReasonOf(error) || nameOf(error)): Error {
  if (LlmemoError.isInstance(error)) return error
  const bare = new Error(message)
  bare.name = nameOf(error)
  const code = codeOf(error)
  return code === '' ? bare : Object.assign(bare, { code })
}
