/**
 * OpenAI's image generations.
 * Source: https://platform.openai.com/docs/api-reference/images
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { type Endpoint } from '../endpoint.ts'
import { endsWith, hasError, inputUsage } from './body.ts'
import { openaiIgnored } from './ignored.ts'

/** Image generations. A streamed answer has partial images and so differs from a whole one: `stream` is part of the key. */
export const openaiImages: Endpoint = {
  provider: 'openai',
  name: 'images.generate',
  path: '/images/generations',
  operation: 'images',
  ignored: openaiIgnored.images,
  complete: (events) => endsWith(events, 'image_generation.completed'),
  bypassReason: () => undefined,
  skipReason,
  usage: inputUsage,
}

function skipReason(answer: JsonObject): string | undefined {
  if (hasError(answer)) return 'error'
  const { data } = answer
  if (!Array.isArray(data)) return 'malformed'
  if (data.length === 0) return 'empty'
  for (const image of data) {
    if (!isJsonObject(image)) return 'malformed'
    const { url, b64_json: bytes } = image
    // The provider deletes the image at this address within an hour; the entry would live longer.
    if (typeof url === 'string' && url !== '') return 'expires'
    if (typeof bytes !== 'string' || bytes === '') return 'empty'
  }
  return undefined
}
