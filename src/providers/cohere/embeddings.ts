/**
 * Cohere's embeddings: a request for many texts, taken apart by text and put together again.
 * Source: https://docs.cohere.com/reference/embed
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import type { PerInput } from '../endpoint.ts'
import { divided } from '../shared-counts.ts'

/** Requests for the embeddings of texts alone. Images, and inputs that mix both, have one entry. */
export const textEmbeddings: PerInput = { split, unite, share, join }

function split(request: JsonObject): JsonObject[] | undefined {
  const { texts, images, inputs } = request
  if (!Array.isArray(texts) || texts.length === 0 || !texts.every((text) => typeof text === 'string')) return undefined
  if (images !== undefined || inputs !== undefined) return undefined
  return texts.map((text) => Object.assign({}, request, { texts: [text] }))
}

function unite(request: JsonObject, singles: readonly JsonObject[]): JsonObject {
  return { ...request, texts: singles.flatMap(({ texts }) => listOf(texts)) }
}

/** `undefined` if the answer does not have one embedding of each of its types for each text. */
function share(answer: JsonObject, singles: readonly JsonObject[]): JsonObject[] | undefined {
  const { embeddings, texts, meta } = answer
  if (!isJsonObject(embeddings)) return undefined
  const lists = Object.entries(embeddings)
  if (lists.length === 0 || !lists.every(([, list]) => listOf(list).length === singles.length)) return undefined
  const echoed = listOf(texts)
  const metas = sharesOf(
    meta,
    singles.map((single) => Math.max(1, JSON.stringify(single['texts']).length)),
  )
  return singles.map((_, at) => ({
    ...answer,
    embeddings: Object.fromEntries(lists.map(([type, list]) => [type, [listOf(list)[at]]])),
    ...(echoed.length === singles.length ? { texts: [echoed[at]] } : {}),
    ...(meta === undefined ? {} : { meta: metas[at] }),
  }))
}

function join(answers: readonly JsonObject[]): JsonObject {
  const [first = {}] = answers
  const types = isJsonObject(first['embeddings']) ? Object.keys(first['embeddings']) : []
  const texts = answers.flatMap((answer) => listOf(answer['texts']))
  return {
    ...first,
    embeddings: Object.fromEntries(types.map((type) => [type, answers.flatMap((answer) => typedList(answer, type))])),
    ...(texts.length === answers.length ? { texts } : {}),
    ...(first['meta'] === undefined ? {} : { meta: sumOf(answers.map(({ meta }) => meta)) }),
  }
}

function typedList({ embeddings }: JsonObject, type: string): readonly unknown[] {
  return isJsonObject(embeddings) ? listOf(embeddings[type]) : []
}

/** The members of a meta that count tokens. */
const counted = ['billed_units', 'tokens'] as const

/** A meta for each text, with its share of the tokens. */
function sharesOf(meta: unknown, sizes: readonly number[]): unknown[] {
  if (!isJsonObject(meta)) return sizes.map(() => meta)
  const shares = counted.flatMap((name) => {
    const counts = meta[name]
    return isJsonObject(counts) ? [[name, divided(counts, sizes)] as const] : []
  })
  return sizes.map((_, at) => ({ ...meta, ...Object.fromEntries(shares.map(([name, each]) => [name, each[at]])) }))
}

function sumOf(metas: readonly unknown[]): unknown {
  const [first] = metas
  if (!isJsonObject(first)) return first
  const sums = counted.flatMap((name) => {
    const counts = first[name]
    if (!isJsonObject(counts)) return []
    const sum = (member: string): number =>
      metas.reduce<number>((total, meta) => {
        const each = isJsonObject(meta) && isJsonObject(meta[name]) ? meta[name][member] : undefined
        return total + (typeof each === 'number' ? each : 0)
      }, 0)
    return [[name, Object.fromEntries(Object.keys(counts).map((member) => [member, sum(member)]))] as const]
  })
  return { ...first, ...Object.fromEntries(sums) }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
