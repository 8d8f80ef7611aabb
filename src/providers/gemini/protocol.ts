/**
 * Gemini over HTTP: under AI Studio and under Vertex AI the path ends in the model and the method.
 *
 *     https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse&key=…
 *     https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent
 *
 * A request is the body, with the `model` of the path, and `stream: true` for `streamGenerateContent`. What stands before the model is the
 * origin. The API key of a query counts as the header `x-goog-api-key`, and is no part of the key.
 * Source: https://ai.google.dev/api/generate-content, https://ai.google.dev/api/embeddings, https://ai.google.dev/api/tokens,
 * https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
 * @module
 */
import type { JsonObject } from '../../json/object.ts'
import type { Endpoint } from '../endpoint.ts'
import type { AddressedCall, Protocol, ReadRequest } from '../protocol.ts'
import { jsonArray } from '../stream-forms.ts'
import { vertexMessages } from '../anthropic/vertex.ts'
import { geminiCountTokens } from './count-tokens.ts'
import { geminiBatchEmbed, geminiEmbed } from './embeddings.ts'
import { geminiContent } from './generate-content.ts'
import { modelName } from './models.ts'

/** The protocol of Gemini, with that of Anthropic's models under Vertex AI. */
export const geminiProtocol: Protocol = {
  endpoints: [geminiContent, geminiEmbed, geminiBatchEmbed, geminiCountTokens],
  call: (address) => geminiCall(address) ?? vertexMessages(address),
}

/** The endpoints by the names of their methods. */
const methods = new Map<string, Endpoint>([
  ['generateContent', geminiContent],
  ['streamGenerateContent', geminiContent],
  ['embedContent', geminiEmbed],
  ['batchEmbedContents', geminiBatchEmbed],
  ['countTokens', geminiCountTokens],
])

/** What comes before a model, the kind of model, its name, and the method. */
const pathPattern = /^(.*?)\/((?:publishers\/[^/]+\/)?)(models|tunedModels|endpoints)\/([^/:]+):(\w+)$/

/** Parameters of Google's APIs that say how an answer is sent, who is billed, and who asks. */
const passing = ['alt', '$alt', 'key', 'access_token', 'prettyPrint', '$prettyPrint', 'quotaUser']

function geminiCall(address: URL): AddressedCall | undefined {
  const [, before = '', publisher = '', kind = '', name = '', method = ''] = pathPattern.exec(address.pathname) ?? []
  const endpoint = methods.get(method)
  const alt = address.searchParams.get('alt') ?? address.searchParams.get('$alt') ?? 'json'
  const isStream = method === 'streamGenerateContent'
  if (endpoint === undefined || !(alt === 'json' || (alt === 'sse' && isStream))) return undefined
  if (publisher !== '' && publisher !== 'publishers/google/') return undefined
  const model = kind === 'models' ? name : `${kind}/${name}`
  const isGoogle = address.hostname.endsWith('.googleapis.com')
  const key = keyIn(address, isGoogle)
  const query = new URLSearchParams(address.searchParams)
  for (const each of passing) query.delete(each)
  const rest = query.size === 0 ? '' : `?${query.toString()}`
  return {
    endpoint,
    origin: `${address.origin}${before}${publisher === '' ? '' : `/${publisher.slice(0, -1)}`}${rest}`,
    named: JSON.stringify([model, isStream]),
    ...(key !== undefined && { credential: ['x-goog-api-key', key] }),
    // Google's access tokens change each hour.
    isRotated: (header) => header === 'authorization' && isGoogle,
    read: (body) => readRequest(endpoint, body, { model, ...(endpoint === geminiContent && { stream: isStream }) }),
    write: withoutAddress,
    ...(isStream && alt === 'json' && { stream: jsonArray }),
  }
}

/** What the query proves who asks by, as one text; `undefined` if there is nothing. */
function keyIn({ searchParams }: URL, isGoogle: boolean): string | undefined {
  const keys = searchParams.getAll('key')
  const tokens = isGoogle ? [] : searchParams.getAll('access_token')
  if (keys.length + tokens.length === 0) return undefined
  return keys.length === 1 && tokens.length === 0 ? keys[0] : JSON.stringify([keys, tokens])
}

/** The body of a request: the path says its model, and whether it is streamed. */
function withoutAddress(request: JsonObject): JsonObject {
  const { model: _, stream: __, ...body } = request
  return body
}

/** The request with what the path says. A body that says something else of it has no key. */
function readRequest(
  endpoint: Endpoint,
  body: JsonObject,
  path: { readonly model: string; readonly stream?: boolean },
): ReadRequest | undefined {
  if (body['stream'] !== undefined || (body['model'] !== undefined && modelName(body['model']) !== path.model)) return undefined
  return { endpoint, request: { ...body, ...path } }
}
