/**
 * The endpoint of a call that its caller describes: how its answers are stored and read back. What JSON cannot hold of them (dates, bytes,
 * URLs) is stored as tagged JSON.
 * @module
 */
import type { ServerEvent } from '../base/server-sent-events.ts'
import { countedUsage } from '../entry.ts'
import { isJsonObject, type JsonObject } from '../json/object.ts'
import { placeOf } from '../json/places.ts'
import { fromTagged, toTagged } from '../json/tagged.ts'
import type { Endpoint, PerInput, Streaming } from '../providers/endpoint.ts'
import type { AnswerRules, InputRules, PartRules } from './origin-calls.ts'

/** How many names of endpoints are remembered for one object of rules. */
const maxNames = 1_000

/** An endpoint is the same object for equal calls: what is known of an entry is known for its endpoint. */
const endpoints = new WeakMap<AnswerRules, Map<string, Endpoint>>()

/** The endpoint of calls to `name` of `provider`, whose answers follow `rules`. */
export function originEndpoint(provider: string, name: string, rules: AnswerRules): Endpoint {
  const known = endpoints.get(rules) ?? new Map<string, Endpoint>()
  endpoints.set(rules, known)
  const id = JSON.stringify([provider, name])
  const endpoint = known.get(id) ?? endpointOf(provider, name, rules)
  if (known.size >= maxNames) known.clear()
  known.set(id, endpoint)
  return endpoint
}

/** The members of the caller's request count in any order. What is in them is sent as it is. */
const place = placeOf({ unordered: ['request'], prose: [] })

function endpointOf(provider: string, name: string, rules: AnswerRules): Endpoint {
  const { parts, inputs } = rules
  return {
    provider,
    // No name of an endpoint that clients call.
    name: `call:${name}`,
    path: '',
    operation: name,
    ignored: parts === undefined ? [] : ['stream'],
    place,
    bypassReason: () => undefined,
    skipReason: (stored) => rules.skipReason?.(fromStored(stored)),
    usage: (stored) => countedUsage(rules.usage?.(fromStored(stored))),
    // A stream is stored only if it came to its own end.
    complete: () => true,
    ...(parts && { streaming: streamingOf(parts) }),
    ...(inputs && { perInput: perInputOf(inputs) }),
  }
}

/** The text that is stored of an answer or a part; `undefined` if it holds something that cannot be stored. */
export function storedText(value: unknown): string | undefined {
  try {
    return JSON.stringify(toTagged(value))
  } catch {
    return undefined
  }
}

/** The answer or part of which {@link storedText} made `text`. */
export function fromStoredText(text: string): unknown {
  return fromTagged(JSON.parse(text))
}

/** The body of the entry of an answer with that text. Its member is none of those that hold JSON of the caller's own. */
export function storedBody(text: string): string {
  return `{"answer":${text}}`
}

/** The answer in what is stored of it. */
export function fromStored({ answer }: JsonObject): unknown {
  return fromTagged(answer)
}

/** What is stored of an answer. */
function toStored(answer: unknown): JsonObject {
  return { answer: toTagged(answer) }
}

function streamingOf(rules: PartRules): Streaming {
  return {
    assemble(events) {
      const answer = rules.assemble(events.map(({ data }) => fromStoredText(data)))
      return answer === undefined ? undefined : toStored(answer)
    },
    disassemble: (stored) => rules.disassemble(fromStored(stored)).map((part): ServerEvent => ({ data: JSON.stringify(toTagged(part)) })),
  }
}

function perInputOf(rules: InputRules): PerInput {
  return {
    split: (request) => rules.split(requestIn(request))?.map((single) => Object.assign({}, request, { request: single })),
    unite: (request, singles) => ({ ...request, request: rules.unite(requestIn(request), singles.map(requestIn)) }),
    share: (stored, singles) => rules.share(fromStored(stored), singles.length)?.map(toStored),
    join: (answers) => toStored(rules.join(answers.map(fromStored))),
  }
}

/** The caller's own request in what the key is made of. */
export function requestIn({ request }: JsonObject): object {
  return isJsonObject(request) ? request : {}
}
