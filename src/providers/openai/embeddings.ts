/**
 * OpenAI's embeddings, and how a batch is taken apart by input and put together again.
 * Source: https://platform.openai.com/docs/api-reference/embeddings
 * @module
 */
import { count, isCounted, isJsonObject, type JsonObject } from '../../json/object.ts'
import type { Usage } from '../../entry.ts'
import { type Endpoint } from '../endpoint.ts'
import { divided } from '../shared-counts.ts'
import { hasError, promptUsage } from './body.ts'
import { openaiIgnored } from './ignored.ts'

/** Embeddings. */
export const openaiEmbeddings: Endpoint = {
  provider: 'openai',
  name: 'embeddings',
  path: '/embeddings',
  operation: 'embeddings',
  ignored: openaiIgnored.embeddings,
  perInput: {
    split: splitEmbeddings,
    unite: (request, singles) => ({ ...request, input: singles.map(({ input }) => input) }),
    share: shareEmbeddings,
    join: joinEmbeddings,
  },
  joinsUnread: true,
  bypassReason: () => undefined,
  skipReason,
  usage: usageIn,
}

/** The tokens of an answer. Voyage tells their total alone, which is all that an embedding has. */
function usageIn(answer: JsonObject): Usage | undefined {
  const { usage } = answer
  const isTotal = isJsonObject(usage) && usage['prompt_tokens'] === undefined && isCounted(usage, ['total_tokens'])
  return isTotal ? { input: count(usage['total_tokens']), output: 0 } : promptUsage(answer)
}

function skipReason(answer: JsonObject): string | undefined {
  if (hasError(answer)) return 'error'
  const { data } = answer
  if (!Array.isArray(data)) return 'malformed'
  if (data.length === 0) return 'empty'
  for (const item of data) {
    const embedding: unknown = isJsonObject(item) ? item['embedding'] : undefined
    if (typeof embedding !== 'string' && !Array.isArray(embedding)) return 'malformed'
    if (embedding.length === 0) return 'empty'
  }
  return undefined
}

/**
 * One request for each input, in order. An input is a text, or a list of tokens.
 * `undefined` if the body has no separate inputs: none at all, an empty list, or a mixed one.
 */
export function splitEmbeddings(request: JsonObject): JsonObject[] | undefined {
  const inputs = inputsOf(request['input'])
  return inputs?.map((input) => Object.assign({}, request, { input }))
}

function inputsOf(input: unknown): readonly unknown[] | undefined {
  if (typeof input === 'string' || isTokens(input)) return [input]
  if (!Array.isArray(input) || input.length === 0) return undefined
  return input.every((element) => typeof element === 'string') || input.every(isTokens) ? input : undefined
}

function isTokens(input: unknown): input is number[] {
  return Array.isArray(input) && input.length > 0 && input.every((token) => typeof token === 'number')
}

/**
 * The answer to these single requests as one whole answer for each, in order: by its `index` members, or by position on a server that gives
 * none. Its usage is divided by the size of the inputs, and the shares add up to it. `undefined` if the answer does not have one embedding
 * for each request.
 */
export function shareEmbeddings(answer: JsonObject, requests: readonly JsonObject[]): JsonObject[] | undefined {
  const { data, usage } = answer
  if (!Array.isArray(data) || data.length !== requests.length) return undefined
  const items = inOrder(data)
  if (items === undefined) return undefined
  const usages = isJsonObject(usage) ? divided(usage, requests.map(sizeOf)) : undefined
  return items.map((item, index) => single(answer, item, usages?.[index]))
}

/** The items in the order of their inputs; `undefined` if they contradict each other. */
function inOrder(data: readonly unknown[]): JsonObject[] | undefined {
  const items = data.filter(isJsonObject)
  if (items.length < data.length) return undefined
  if (!items.some(hasIndex)) return items
  const byIndex = new Map(items.map((item) => [item['index'], item]))
  const ordered = items.map((_, index) => byIndex.get(index)).filter((item) => item !== undefined)
  return ordered.length === items.length ? ordered : undefined
}

function hasIndex({ index }: JsonObject): boolean {
  return index !== undefined && index !== null
}

/** The item with its place in another answer, if it says its place at all. */
function placed(item: JsonObject, index: number): JsonObject {
  return hasIndex(item) ? { ...item, index } : item
}

function single(answer: JsonObject, item: JsonObject, usage: JsonObject | undefined): JsonObject {
  return { ...answer, data: [placed(item, 0)], ...(usage === undefined ? {} : { usage }) }
}

/** The size of an input, by which usage is divided. */
function sizeOf({ input }: JsonObject): number {
  return typeof input === 'string' || Array.isArray(input) ? Math.max(1, input.length) : 1
}

/** The answer to one request for all, made of these single answers, in order. Its usage is their sum. */
export function joinEmbeddings(parts: readonly JsonObject[]): JsonObject {
  const data = parts.flatMap((part) => (Array.isArray(part['data']) ? part['data'] : []))
  const usages = parts.map((part) => part['usage']).filter(isJsonObject)
  const { usage: _, ...first } = parts[0] ?? { object: 'list' }
  return {
    ...first,
    data: data.map((item: unknown, index) => (isJsonObject(item) ? placed(item, index) : item)),
    // With one usage unknown, the sum would be too small.
    ...(usages.length === parts.length && usages[0] !== undefined ? { usage: sumUsage(usages[0], usages) } : {}),
  }
}

function sumUsage(first: JsonObject, usages: readonly JsonObject[]): JsonObject {
  const sum = (name: string): number => usages.reduce((total, { [name]: value }) => total + (typeof value === 'number' ? value : 0), 0)
  return Object.fromEntries(Object.entries(first).map(([name, value]) => [name, isSummed(name, value) ? sum(name) : value]))
}

function isSummed(name: string, value: unknown): boolean {
  return isWhole(value) || (name === 'cost' && typeof value === 'number')
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value)
}
