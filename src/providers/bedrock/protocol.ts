/**
 * Bedrock over plain HTTP, as a client without the AWS SDK calls it. Keys and entries are those of the SDK's commands.
 *
 *     https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-opus-4-1-v1%3A0/converse-stream
 *
 * The path holds the model. What the SDK has as members of InvokeModel's input are headers here. Streams have AWS's own framing. The region
 * is that of the host, or of the request's signature.
 * Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html
 * @module
 */
import { base64Of, bytesOfBase64, utf8Bytes } from '../../base/text-bytes.ts'
import type { ServerEvent } from '../../base/server-sent-events.ts'
import { parseExactJson } from '../../json/exact.ts'
import { keepsMembers } from '../../json/members.ts'
import { isJsonObject, parseJsonObject, type JsonObject } from '../../json/object.ts'
import type { AddressedCall, AnswerForm, Protocol, ReadRequest, StreamForm } from '../protocol.ts'
import { bedrockConverse } from './converse.ts'
import { invokeEndpoint } from './endpoints.ts'
import { type EventMessage, readMessages, writeMessage } from './event-stream.ts'
import { bedrockInvoke } from './invoke.ts'
import { keepInvoked, readInvoked } from './invoke-text.ts'
import { fromWire, toWire } from './wire-json.ts'

/** The protocol of Bedrock Runtime. Its endpoints are those of the SDK's commands. */
export const bedrockProtocol: Protocol = { endpoints: [], call: bedrockCall }

const pathPattern = /^(.*)\/model\/([^/]+)\/(converse|invoke)(-stream|-with-response-stream)?$/

function bedrockCall(address: URL): AddressedCall | undefined {
  const [, before = '', encoded = '', action, streaming] = pathPattern.exec(address.pathname) ?? []
  const isStream = streaming !== undefined
  if (action === undefined || (isStream && (streaming === '-stream') !== (action === 'converse'))) return undefined
  const model = decodeURIComponent(encoded)
  const href = `${address.origin}${before === '' ? '/' : before}${address.search}`
  const isConverse = action === 'converse'
  return {
    endpoint: isConverse ? bedrockConverse : bedrockInvoke,
    origin: href,
    named: JSON.stringify([model, action, isStream]),
    // A signature is another one for each request, and of credentials that change by themselves.
    isRotated: (_, value) => value.startsWith('AWS4-'),
    originOf: (headers) => originOf(address, href, headers),
    read: isConverse
      ? (body) => readConverse(body, model, isStream)
      : (_, headers, text) => readInvoke(text, { ...invokeMembers(headers), model, stream: isStream }),
    write: isConverse ? writeConverse : ({ body }) => (isJsonObject(body) ? body : {}),
    keyed: (headers) => Object.fromEntries(Object.entries(headers).filter(([name]) => !isMember(name, isConverse))),
    ...(isStream && { stream: isConverse ? converseStream : invokeStream }),
    answers: isConverse ? converseAnswers : invokeAnswers,
  }
}

/** The host of the service's public address in a region. */
const hostPattern = /^bedrock-runtime\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/
const anyHostPattern = /^bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\./
/** The region in a signature. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
const signaturePattern = /Credential=[^/]+\/\d+\/([^/]+)\//

/** The endpoint and the region as one text, as a client of the SDK has them. */
function originOf({ hostname, protocol, port }: URL, href: string, headers: Headers): string {
  const standard = protocol === 'https:' && port === '' && href.endsWith(`${hostname}/`) ? hostPattern.exec(hostname)?.[1] : undefined
  if (standard !== undefined) return `bedrock-runtime.${standard}`
  const signed = signaturePattern.exec(headers.get('authorization') ?? '')?.[1]
  return JSON.stringify([href, signed ?? anyHostPattern.exec(hostname)?.[1] ?? ''])
}

function readConverse(body: JsonObject, model: string, stream: boolean): ReadRequest | undefined {
  const tagged = fromWire(body)
  if (body['model'] !== undefined || body['stream'] !== undefined || !isJsonObject(tagged)) return undefined
  return { endpoint: bedrockConverse, request: { model, ...tagged, stream } }
}

function writeConverse(request: JsonObject): JsonObject {
  const { model: _, stream: __, ...rest } = request
  const body = toWire(rest)
  return isJsonObject(body) ? body : rest
}

function readInvoke(text: string | undefined, members: JsonObject): ReadRequest | undefined {
  const body = text === undefined ? undefined : parseExactJson(text)?.value
  if (text === undefined || !isJsonObject(body) || !keepsMembers(text, body)) return undefined
  const request = { ...members, body }
  return { endpoint: invokeEndpoint(request), request }
}

/** The headers that are members of the SDK's input. */
const memberHeaders = [
  ['trace', 'x-amzn-bedrock-trace'],
  ['guardrailIdentifier', 'x-amzn-bedrock-guardrailidentifier'],
  ['guardrailVersion', 'x-amzn-bedrock-guardrailversion'],
  ['performanceConfigLatency', 'x-amzn-bedrock-performanceconfig-latency'],
  ['serviceTier', 'x-amzn-bedrock-service-tier'],
] as const

/** Headers of how the AWS SDK sends a request. */
const sending =
  /^(?:amz-sdk-|x-amz-(?:algorithm|content-sha256|credential|date|decoded-content-length|security-token|signature|signedheaders|user-agent)$)/

/** Whether a header is no part of the key, as it says how a request is sent, or stands for a member of the SDK's input. */
function isMember(name: string, isConverse: boolean): boolean {
  if (sending.test(name)) return true
  return !isConverse && (name === 'x-amzn-bedrock-accept' || memberHeaders.some(([, header]) => header === name))
}

function invokeMembers(headers: Headers): JsonObject {
  const members: JsonObject = {}
  for (const [member, name] of memberHeaders) {
    const value = headers.get(name)
    if (value !== null) members[member] = value
  }
  const type = headers.get('content-type')?.split(';')[0]?.trim()
  const accept = headers.get('x-amzn-bedrock-accept') ?? headers.get('accept')
  if (type !== undefined && type !== 'application/json') members['contentType'] = type
  // Any type is what a client accepts that names none.
  if (accept !== null && !['*/*', 'application/json', 'application/vnd.amazon.eventstream'].includes(accept)) members['accept'] = accept
  return members
}

/** Headers of a stored answer without the one that holds other members of the SDK's output. */
function shown(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { output: _, ...others } = headers
  return others
}

const converseAnswers: AnswerForm = {
  keep(body) {
    const answer = parseJsonObject(body)
    try {
      return answer && JSON.stringify(fromWire(answer))
    } catch {
      // It is nested too deeply.
      return undefined
    }
  },
  give: (text) => JSON.stringify(toWire(JSON.parse(text))),
  shown,
}

const invokeAnswers: AnswerForm = {
  keep: (body, headers) => keepInvoked(outputMembers(headers, 'content-type'), body),
  give: (text) => readInvoked(text).body,
  headers: (headers, isStream) => (isStream ? { output: JSON.stringify(outputMembers(headers, 'x-amzn-bedrock-content-type')) } : {}),
  shown,
}

/** The members of an output that are headers on the wire. */
function outputMembers(headers: Headers, typeHeader: string): JsonObject {
  const [latency, tier] = ['x-amzn-bedrock-performanceconfig-latency', 'x-amzn-bedrock-service-tier'].map((name) => headers.get(name))
  return {
    contentType: headers.get(typeHeader) ?? 'application/json',
    ...(typeof latency === 'string' && { performanceConfigLatency: latency }),
    ...(typeof tier === 'string' && { serviceTier: tier }),
  }
}

const type = 'application/vnd.amazon.eventstream'

function eventText(event: JsonObject): string {
  const { p: _, ...members } = event
  return JSON.stringify(fromWire(members))
}

/** An event is the member of the SDK's event, without the padding `p` that hides its length. */
const converseStream: StreamForm = {
  type,
  parse: (bytes) => eventsOf(bytes, eventText),
  format: (events) => events.map(({ event = '', data }) => framed(event, JSON.stringify(toWire(JSON.parse(data))))),
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** An event is a chunk of the model's own JSON, in bytes. */
const invokeStream: StreamForm = {
  type,
  parse: (bytes) => eventsOf(bytes, ({ bytes: chunk }) => (typeof chunk === 'string' ? decoder.decode(bytesOfBase64(chunk)) : '')),
  format: (events) => events.map(({ event = '', data }) => framed(event, JSON.stringify({ bytes: base64Of(utf8Bytes(data)) }))),
}

function eventsOf(bytes: Uint8Array, dataOf: (payload: JsonObject) => string): readonly ServerEvent[] | undefined {
  return readMessages(bytes)?.map((message) => eventOf(message, dataOf))
}

/** An exception is an event of another name, which is part of no complete stream. */
function eventOf({ headers, payload }: EventMessage, dataOf: (payload: JsonObject) => string): ServerEvent {
  const kind = headers[':message-type']
  const text = new TextDecoder().decode(payload)
  if (kind !== 'event') return { event: headers[':exception-type'] ?? headers[':error-code'] ?? 'exception', data: text }
  const parsed = parseJsonObject(text)
  return { event: headers[':event-type'] ?? '', data: parsed === undefined ? text : dataOf(parsed) }
}

function framed(event: string, json: string): Uint8Array {
  const headers = { ':event-type': event, ':content-type': 'application/json', ':message-type': 'event' }
  return writeMessage({ headers, payload: new TextEncoder().encode(json) })
}
