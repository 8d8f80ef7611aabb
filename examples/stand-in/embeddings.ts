/**
 * The stand-in's embeddings: a bag of words, hashed and scaled to length 1. Texts that share words have similar vectors.
 * Source: https://platform.openai.com/docs/api-reference/embeddings
 * @module
 */
import { createHash } from 'node:crypto'
import type OpenAI from 'openai'
import { contentWords, countTokens } from './answers.ts'

/** The answer as it is sent. The SDK asks for base64 and decodes it itself. */
export interface EmbeddingsAnswer {
  readonly object: 'list'
  readonly data: readonly { readonly object: 'embedding'; readonly index: number; readonly embedding: string | readonly number[] }[]
  readonly model: string
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number }
}

/** The embeddings of a request's inputs, in their order. */
export function embed(request: OpenAI.EmbeddingCreateParams, model: string): EmbeddingsAnswer {
  const inputs = typeof request.input === 'string' ? [request.input] : request.input.map(String)
  const tokens = inputs.reduce((sum, input) => sum + countTokens(input), 0)
  const data = inputs.map((input, index) => {
    const vector = vectorOf(input, request.dimensions ?? 1_536)
    const embedding = request.encoding_format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector]
    return { object: 'embedding', index, embedding } as const
  })
  return { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } }
}

/** The embedding of one text. */
export function vectorOf(text: string, dimensions: number): Float32Array<ArrayBuffer> {
  const vector = new Float32Array(dimensions)
  for (const word of contentWords(text)) {
    const digest = createHash('sha256').update(word).digest()
    const place = digest.readUInt32LE(0) % dimensions
    // The sign depends on the word, so that words that share a place by chance do not always add up.
    vector[place] = (vector[place] ?? 0) + (digest.readUInt8(4) % 2 === 0 ? 1 : -1)
  }
  const length = Math.hypot(...vector) || 1
  return vector.map((value) => value / length)
}
