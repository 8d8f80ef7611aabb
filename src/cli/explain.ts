/**
 * The command that says why a call missed: the parts of a key, or the first difference between two requests.
 * @module
 */
import { readFile } from 'node:fs/promises'
import type { CacheRequest, TextRequest } from '../cache/cache.ts'
import { LlmemoError } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../json/object.ts'
import { type CliOptions, UsageError } from './arguments.ts'
import type { Run } from './command.ts'
import { described, wrapped } from './text.ts'

/** Explains one request, or the difference between two. */
export async function explain({ cache, operands, options, output }: Run): Promise<boolean> {
  const [first, second, third] = operands
  if (first === undefined || third !== undefined) throw new UsageError('explain needs one file with a request, or two to compare')
  const request = await requestIn(first, options)
  try {
    if (second === undefined) {
      const { key, parts } = cache.explain(request)
      const lines = Object.entries(parts).flatMap(([name, text]) => described(name, text))
      await output.result({ key, parts }, [...described('key', key), ...lines])
      return true
    }
    const found = cache.explain(request, await requestIn(second, options))
    const { same, path = '' } = found
    const values = [...described('  first', found.first ?? '(nothing)'), ...described('  second', found.second ?? '(nothing)')]
    await output.result(found, same ? ['Both have the same key.'] : [...wrapped(`The keys differ, first at ${path}:`), ...values])
    return true
  } catch (error) {
    // Of a request that cannot be, the file has to be mended.
    throw LlmemoError.isInstance(error) ? new UsageError(error.message.replace('llmemo: ', '')) : error
  }
}

/** The request in a file: as `cache.explain` takes it, or with `--endpoint` its body alone. */
async function requestIn(path: string, { endpoint, provider, scope, operation }: CliOptions): Promise<CacheRequest | TextRequest> {
  const found = await objectIn(path)
  const call = { ...(scope !== undefined && { scope }), ...(operation !== undefined && { operation }) }
  if (endpoint !== undefined) return { ...call, endpoint, body: found, ...(provider !== undefined && { provider }) }
  if (!('endpoint' in found) && !['text', 'prompt'].some((form) => form in found)) {
    throw new UsageError(
      'the file has no "endpoint", "text" or "prompt"; for the body of a request alone, give --endpoint chat.completions',
    )
  }
  // What the file has is checked by `explain`, which refuses what is no request.
  return { ...found, ...call }
}

async function objectIn(path: string): Promise<JsonObject> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch {
    throw new UsageError('the file cannot be read')
  }
  try {
    const value: unknown = JSON.parse(text)
    if (isJsonObject(value)) return value
  } catch {
    // Told without the error of `JSON.parse`, which quotes the text.
  }
  throw new UsageError('the file holds no JSON object')
}
