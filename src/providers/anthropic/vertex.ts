/**
 * Anthropic's messages as Vertex AI takes them over HTTP. The model stands in the path, and the version of the protocol in the body.
 *
 *     https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-4-1:streamRawPredict
 *
 * The keys are those of the calls of a wrapped client of @anthropic-ai/vertex-sdk.
 * Source: https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai, and `buildRequest` of @anthropic-ai/vertex-sdk
 * @module
 */
import type { AddressedCall, ReadRequest } from '../protocol.ts'
import { anthropicCountTokens } from './count-tokens.ts'
import { anthropicMessages } from './messages.ts'
import type { JsonObject } from '../../json/object.ts'

const pathPattern = /^(.*)\/(projects\/[^/]+\/locations\/[^/]+)\/publishers\/anthropic\/models\/([^/:]+):(rawPredict|streamRawPredict)$/

/** The version of the protocol under Vertex AI that stands for one of Anthropic's own. The SDK before 1.0 sends it with every call. */
const vertexVersion = 'vertex-2023-10-16'
const ownVersion = '2023-06-01'

/** A call of Anthropic's messages under Vertex AI, by its address. */
export function vertexMessages(address: URL): AddressedCall | undefined {
  const [, before = '', place = '', model = '', method = ''] = pathPattern.exec(address.pathname) ?? []
  if (method === '') return undefined
  return {
    endpoint: anthropicMessages,
    origin: `${address.origin}${before}${address.search}#${place}`,
    named: JSON.stringify([model, method]),
    isRotated: (header) => header === 'authorization' && address.hostname.endsWith('.googleapis.com'),
    read(body, headers) {
      const version = versionOf(body, headers)
      const read = version === undefined ? undefined : readRequest(body, decodeURIComponent(model), method === 'streamRawPredict')
      return read && { ...read, headers: { 'anthropic-version': String(version) } }
    },
  }
}

/** The version of Anthropic's protocol, as the SDK's own header names it; `undefined` if it is not known. */
function versionOf({ anthropic_version: version }: JsonObject, headers: Headers): string | undefined {
  const own = version === vertexVersion ? ownVersion : version
  if (typeof own !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(own)) return undefined
  // Which of two is heeded is for the server to say.
  return (headers.get('anthropic-version') ?? own) === own ? own : undefined
}

function readRequest(sent: JsonObject, model: string, isStream: boolean): ReadRequest | undefined {
  const { anthropic_version: _, ...body } = sent
  // The SDK asks for a stream in both ways. Without the other one it depends on the server what is answered.
  if ((body['stream'] === true) !== isStream) return undefined
  if (model !== 'count-tokens')
    return body['model'] === undefined ? { endpoint: anthropicMessages, request: { ...body, model } } : undefined
  return typeof body['model'] === 'string' ? { endpoint: anthropicCountTokens, request: body } : undefined
}
