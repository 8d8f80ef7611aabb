/**
 * Gemini's content, streamed and whole, each made of the other. Each event of a stream is an answer by itself, of which the parts are to be
 * put together. There is no end mark: a stream is whole when each of its candidates has a finish reason, or the prompt was blocked.
 * Source: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent. What of an answer is replaced and what goes on
 * is as in Google's own SDK: https://github.com/google-gemini/deprecated-generative-ai-js/blob/main/packages/main/src/requests/stream-reader.ts
 * @module
 */
import type { ServerEvent } from '../../base/server-sent-events.ts'
import { isJsonObject, parseJsonObject, type JsonObject } from '../../json/object.ts'
import { hasError } from '../openai/body.ts'

/** A candidate while its chunks are merged. */
interface Candidate {
  members: JsonObject
  content: JsonObject | undefined
  readonly parts: JsonObject[]
}

/** A stream that is whole by its protocol. */
interface ReadContent {
  readonly answer: JsonObject
  /** Whether all of it could be merged. */
  readonly exact: boolean
}

/** The whole answer of a complete stream. */
export function assembleContent(events: readonly ServerEvent[]): JsonObject | undefined {
  const read = readContent(events)
  return read?.exact === true ? read.answer : undefined
}

/** A complete stream as an answer, with as much of it as can be merged. */
export function outlineContent(events: readonly ServerEvent[]): JsonObject | undefined {
  return readContent(events)?.answer
}

function readContent(events: readonly ServerEvent[]): ReadContent | undefined {
  const candidates = new Map<number, Candidate>()
  let members: JsonObject = {}
  let exact = true
  for (const { data } of events) {
    const chunk = parseJsonObject(data)
    if (chunk === undefined || hasError(chunk)) return undefined
    const { candidates: given, ...rest } = chunk
    members = { ...members, ...rest }
    for (const part of Array.isArray(given) ? given : []) {
      if (!isJsonObject(part)) return undefined
      exact = mergeCandidate(candidates, part) && exact
    }
  }
  const whole = [...candidates.entries()].toSorted(([first], [second]) => first - second).map(([, candidate]) => wholeCandidate(candidate))
  const { promptFeedback: feedback } = members
  const isBlocked = isJsonObject(feedback) && typeof feedback['blockReason'] === 'string'
  const isFinished = whole.length > 0 && whole.every(({ finishReason }) => typeof finishReason === 'string')
  if (!isFinished && !isBlocked) return undefined
  return { answer: { ...(whole.length > 0 && { candidates: whole }), ...members }, exact }
}

/** Merges one part of a candidate. @returns `false` if some of it cannot be merged; the rest is */
function mergeCandidate(candidates: Map<number, Candidate>, { content, ...members }: JsonObject): boolean {
  const index = typeof members['index'] === 'number' ? members['index'] : 0
  let candidate = candidates.get(index)
  if (candidate === undefined) candidates.set(index, (candidate = { members: {}, content: undefined, parts: [] }))
  const { logprobsResult: scores } = candidate.members
  candidate.members = { ...candidate.members, ...members }
  if (isJsonObject(scores) && isJsonObject(members['logprobsResult'])) {
    candidate.members['logprobsResult'] = joinLists(scores, members['logprobsResult'])
  }
  if (!isJsonObject(content)) return content === undefined || content === null
  const { parts, ...rest } = content
  candidate.content = { ...candidate.content, ...rest }
  if (!Array.isArray(parts)) return parts === undefined
  const { parts: merged } = candidate
  return parts.map((part: unknown) => isJsonObject(part) && mergePart(merged, part)).every(Boolean)
}

/** Scores are of the tokens of one chunk. */
function joinLists(before: JsonObject, next: JsonObject): JsonObject {
  const joined = Object.entries(next).map(([name, value]) => {
    const earlier = before[name]
    return [name, Array.isArray(earlier) && Array.isArray(value) ? [...earlier, ...value] : value]
  })
  return { ...before, ...Object.fromEntries(joined) }
}

/** Adds a part. A text goes on where the text before it ended, unless one of them has a signature, which is of its own part alone. */
function mergePart(parts: JsonObject[], part: JsonObject): boolean {
  const last = parts.at(-1)
  if (last !== undefined && isText(last) && isText(part) && last['thought'] === part['thought']) {
    parts[parts.length - 1] = { ...last, text: `${String(last['text'])}${String(part['text'])}` }
    return true
  }
  parts.push(part)
  const { functionCall: call } = part
  // Only the SDK knows how the pieces of a call's arguments belong together.
  return !isJsonObject(call) || (call['partialArgs'] === undefined && call['willContinue'] === undefined)
}

/** Whether a part is a text and nothing else. */
function isText(part: JsonObject): boolean {
  return typeof part['text'] === 'string' && Object.keys(part).every((name) => name === 'text' || name === 'thought')
}

function wholeCandidate({ members, content, parts }: Candidate): JsonObject {
  const kept = parts.length > 1 ? parts.filter((part) => !(isText(part) && part['text'] === '')) : parts
  return { ...(content !== undefined && { content: { parts: kept, ...content } }), ...members }
}

/** The chunks in which the provider would have streamed a whole answer: one for each part, the last with all that is known at the end. */
export function disassembleContent(answer: JsonObject): ServerEvent[] {
  const { candidates: _, usageMetadata, ...members } = answer
  const candidates = (candidatesOf(answer) ?? []).filter(isJsonObject)
  const chunks = candidates.flatMap((candidate) => chunksOf(candidate))
  return chunks.length === 0
    ? [{ data: JSON.stringify(answer) }]
    : chunks.map((chunk, at) => {
        const isLast = at === chunks.length - 1
        return {
          data: JSON.stringify({ candidates: [chunk], ...(isLast && usageMetadata !== undefined && { usageMetadata }), ...members }),
        }
      })
}

/** The chunks of one candidate. */
function chunksOf(candidate: JsonObject): JsonObject[] {
  const { content, index, ...last } = candidate
  const parts: readonly unknown[] = isJsonObject(content) && Array.isArray(content['parts']) ? content['parts'] : []
  if (!isJsonObject(content) || parts.length < 2) return [candidate]
  const place = index === undefined ? {} : { index }
  return parts.map((part, at) => ({ content: { ...content, parts: [part] }, ...(at === parts.length - 1 && last), ...place }))
}

/** The candidates of an answer, or `undefined` if it has no list of them. */
export function candidatesOf({ candidates }: JsonObject): readonly unknown[] | undefined {
  return Array.isArray(candidates) ? candidates : undefined
}
