/**
 * Cohere's embeddings on Bedrock: a request for many texts, taken apart by text and put together again.
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v4.html
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { type PerInput } from '../endpoint.ts'

/** InvokeModel's requests for many texts at once. No other model of Bedrock takes more than one. */
export const cohereEmbeddings: PerInput = { split, unite, share, join }

/** `undefined` for any other request than one for the embeddings of texts alone. */
function split(request: JsonObject): JsonObject[] | undefined {
  const { body, stream } = request
  if (!isJsonObject(body) || stream === true) return undefined
  const { texts, images, inputs, input_type: purpose } = body
  if (!Array.isArray(texts) || texts.length === 0 || !texts.every((text) => typeof text === 'string')) return undefined
  if (typeof purpose !== 'string' || images !== undefined || inputs !== undefined) return undefined
  return texts.map((text) => Object.assign({}, request, { body: { ...body, texts: [text] } }))
}

function unite(request: JsonObject, singles: readonly JsonObject[]): JsonObject {
  const texts = singles.flatMap(({ body }) => (isJsonObject(body) && Array.isArray(body['texts']) ? body['texts'] : []))
  return { ...request, body: { ...(isJsonObject(request['body']) ? request['body'] : {}), texts } }
}

/** `undefined` if the answer does not have one embedding of each of its types for each request. */
function share(answer: JsonObject, singles: readonly JsonObject[]): JsonObject[] | undefined {
  const { body } = answer
  const embeddings = isJsonObject(body) ? body['embeddings'] : undefined
  if (!isJsonObject(body) || !isShared(embeddings, singles.length)) return undefined
  const { texts } = body
  const echoed = Array.isArray(texts) && texts.length === singles.length
  return singles.map((_, index) => ({
    ...answer,
    body: { ...body, embeddings: pick(embeddings, index), ...(echoed ? { texts: [texts[index]] } : {}) },
  }))
}

/** The embeddings: a list, or one list for each requested type. */
type Embeddings = readonly unknown[] | Record<string, readonly unknown[]>

function isShared(embeddings: unknown, length: number): embeddings is Embeddings {
  const lists = isJsonObject(embeddings) ? Object.values(embeddings) : [embeddings]
  return lists.length > 0 && lists.every((list) => Array.isArray(list) && list.length === length)
}

function pick(embeddings: Embeddings, index: number): Embeddings {
  if (!isJsonObject(embeddings)) return [embeddings[index]]
  return Object.fromEntries(Object.entries(embeddings).map(([type, list]) => [type, [list[index]]]))
}

function join(answers: readonly JsonObject[]): JsonObject {
  const bodies = answers.map(({ body }) => body).filter(isJsonObject)
  const [first = {}] = bodies
  const texts = bodies.flatMap((body) => (Array.isArray(body['texts']) ? body['texts'] : []))
  const { embeddings } = first
  const joined = isJsonObject(embeddings)
    ? Object.fromEntries(Object.keys(embeddings).map((type) => [type, bodies.flatMap((body) => listOf(body['embeddings'], type))]))
    : bodies.flatMap((body) => (Array.isArray(body['embeddings']) ? body['embeddings'] : []))
  return { ...answers[0], body: { ...first, embeddings: joined, ...(texts.length === bodies.length ? { texts } : {}) } }
}

function listOf(embeddings: unknown, type: string): readonly unknown[] {
  const list = isJsonObject(embeddings) ? embeddings[type] : undefined
  return Array.isArray(list) ? list : []
}
