/**
 * Gemini's embeddings: of one content, and of many at once, each of which is cached by itself.
 * Source: https://ai.google.dev/api/embeddings
 * @module
 */
import type { Usage } from '../../entry.ts'
import { count, isCounted, isJsonObject, type JsonObject } from '../../json/object.ts'
import type { Endpoint } from '../endpoint.ts'
import { hasError } from '../openai/body.ts'
import { divided } from '../shared-counts.ts'
import { described } from './generate-content.ts'
import { modelName } from './models.ts'
import { geminiBatchEmbedPlaces, geminiEmbedPlaces } from './places.ts'

const common = {
  provider: 'gemini',
  operation: 'embeddings',
  ignored: [],
  described,
  bypassReason: () => undefined,
  usage: embeddingUsage,
} as const

/** The embedding of one content. */
export const geminiEmbed: Endpoint = {
  ...common,
  name: 'embedContent',
  path: ':embedContent',
  place: geminiEmbedPlaces,
  skipReason: (answer) => (hasError(answer) ? 'error' : judgeVectors([answer['embedding']])),
}

/** The embeddings of many contents. */
export const geminiBatchEmbed: Endpoint = {
  ...common,
  name: 'batchEmbedContents',
  path: ':batchEmbedContents',
  place: geminiBatchEmbedPlaces,
  normalise: ({ requests, ...rest }) => ({ ...rest, requests: Array.isArray(requests) ? requests.map(withModelName) : requests }),
  perInput: {
    split: ({ requests, ...rest }) => (isFilled(requests) ? requests.map((each) => ({ ...rest, requests: [each] })) : undefined),
    unite: (request, singles) => ({ ...request, requests: singles.flatMap(({ requests }) => (Array.isArray(requests) ? requests : [])) }),
    share,
    join,
  },
  skipReason: (answer) => (hasError(answer) ? 'error' : judgeVectors(answer['embeddings'])),
}

function isFilled(list: unknown): list is readonly unknown[] {
  return Array.isArray(list) && list.length > 0
}

/** One request of a batch, whose model may be named in two ways. */
function withModelName(request: unknown): unknown {
  return isJsonObject(request) && request['model'] !== undefined ? { ...request, model: modelName(request['model']) } : request
}

function judgeVectors(vectors: unknown): string | undefined {
  if (!Array.isArray(vectors)) return 'malformed'
  if (vectors.length === 0) return 'empty'
  const values = vectors.map((vector: unknown): unknown => (isJsonObject(vector) ? vector['values'] : undefined))
  if (!values.every((each) => Array.isArray(each))) return 'malformed'
  return values.every((each) => isFilled(each)) ? undefined : 'empty'
}

/** One answer for each request, in order. The tokens of all are divided by the lengths of the requests. */
function share(answer: JsonObject, singles: readonly JsonObject[]): JsonObject[] | undefined {
  const { embeddings, usageMetadata: usage } = answer
  if (!Array.isArray(embeddings) || embeddings.length !== singles.length) return undefined
  const sizes = singles.map(({ requests }) => JSON.stringify(requests).length)
  const usages = isJsonObject(usage) ? divided(usage, sizes) : undefined
  return embeddings.map((embedding: unknown, index) => {
    const single: JsonObject = Object.assign({}, answer, { embeddings: [embedding] })
    if (usages !== undefined) single['usageMetadata'] = usages[index]
    return single
  })
}

function join(answers: readonly JsonObject[]): JsonObject {
  const usages = answers.map(({ usageMetadata }) => usageMetadata).filter(isJsonObject)
  const { usageMetadata: _, ...first } = answers[0] ?? {}
  return {
    ...first,
    embeddings: answers.flatMap(({ embeddings }) => (Array.isArray(embeddings) ? embeddings : [])),
    ...(usages.length === answers.length && usages.length > 0 && { usageMetadata: summed(usages) }),
  }
}

/** The sum of counts; what is no count is that of the first. */
function summed(usages: readonly JsonObject[]): JsonObject {
  const [first = {}] = usages
  const sums = Object.entries(first).map(([name, value]) => [
    name,
    typeof value === 'number' ? usages.reduce((sum, usage) => sum + count(usage[name]), 0) : value,
  ])
  return Object.fromEntries(sums)
}

function embeddingUsage({ usageMetadata: usage }: JsonObject): Usage | undefined {
  if (!isJsonObject(usage) || !isCounted(usage, ['promptTokenCount', 'totalTokenCount'])) return undefined
  return { input: count(usage['promptTokenCount'] ?? usage['totalTokenCount']), output: 0 }
}
