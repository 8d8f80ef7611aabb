/**
 * What is wrong with the recording of a call: there is none, or its file cannot be read.
 * @module
 */
import { LlmemoError } from '../../errors.ts'
import type { CassetteFolder } from './folder.ts'

/** Why the folder has no usable cassette for a key; `undefined` if it has one. */
export function reasonOfFile(files: CassetteFolder, key: string): string | undefined {
  try {
    return files.find(key) === undefined ? 'no cassette answers this call' : undefined
  } catch (error) {
    if (LlmemoError.isInstance(error)) return error.message.replace(/^llmemo: /, '').replace(/\.$/, '')
    return `the cassettes cannot be read (${String(Reflect.get(Object(error), 'code') ?? 'unknown')})`
  }
}
