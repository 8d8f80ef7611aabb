/**
 * What is wrong with the recording of a call: there is none, or its file cannot be used.
 * @module
 */
import { LlmemoError } from '../../errors.ts'
import type { CassetteFolder } from './folder.ts'

/** The reason of a call that was never recorded. */
export const unrecorded = 'no cassette answers this call'

/**
 * Why the folder has no usable cassette for a key; `undefined` if it has one.
 * @param failure how the last read of it failed
 */
export function reasonAgainst(files: CassetteFolder, key: string, failure: unknown): string | undefined {
  if (failure !== undefined) return `${files.namesFor(key).join(' or ') || 'a cassette'}: ${textOf(failure)}`
  try {
    return files.find(key) === undefined ? unrecorded : undefined
  } catch (error) {
    return reasonAgainst(files, key, error)
  }
}

function textOf(error: unknown): string {
  if (LlmemoError.isInstance(error)) return error.message.replace(/^llmemo: /, '').replace(/\.$/, '')
  return `it cannot be read (${String(Reflect.get(Object(error), 'code') ?? 'unknown')})`
}
