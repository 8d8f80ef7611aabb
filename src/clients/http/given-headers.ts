/**
 * Headers as a caller gives them to an SDK, in any form that the SDK takes.
 * @module
 */

/** Whether headers hold a value for `name`, which is in lower case. */
export function namesHeader(headers: unknown, name: string): boolean {
  if (typeof headers !== 'object' || headers === null) return false
  const values: unknown = Reflect.get(headers, 'values')
  if (values instanceof Headers) return values.has(name)
  if (headers instanceof Headers) return headers.has(name)
  const entries: readonly unknown[] = Array.isArray(headers) ? headers : Object.entries(headers)
  return entries.some(
    (entry) =>
      Array.isArray(entry) && String(entry[0]).toLowerCase() === name && entry[1] !== null && entry[1] !== undefined && entry[1] !== '',
  )
}
