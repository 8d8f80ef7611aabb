/**
 * The answers of the models behind Bedrock's InvokeModel. Each family has a body of its own, and is recognised by the body's form: a model id
 * may be that of an inference profile or a custom model, and then does not name the family.
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
 * @module
 */
import { count, isCounted, isJsonObject, type JsonObject } from '../../json/object.ts'
import type { Usage } from '../../entry.ts'
import { anthropicMessages } from '../anthropic/messages.ts'
import { converseUsage, judgeConverse } from './converse.ts'
import { hasError, promptUsage } from '../openai/body.ts'
import { judgeChoice } from '../openai/chat.ts'

/** One family of models, by the form of its answers. */
interface Family {
  /** Whether a body is of this family. */
  is(body: JsonObject): boolean
  skipReason(body: JsonObject): string | undefined
  /** @default the family's bodies do not have it */
  usage?(body: JsonObject): Usage | undefined
}

/** The members in which the families give their stop reason. */
const stopMembers = ['stop_reason', 'stopReason', 'finish_reason', 'finishReason', 'completionReason']

/** The members of a body or a chunk that hold parts with a stop reason. */
const partMembers = ['delta', 'messageStop', 'choices', 'outputs', 'generations', 'results']

/**
 * Why each stop reason, in lower case, forbids storing; `undefined` if it does not. A reason that is not listed may mean anything.
 * Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html,
 * …/model-parameters-titan-text.html, …/model-parameters-meta.html, …/model-parameters-mistral.html, …/model-parameters-cohere-command.html
 */
const stopReasons: ReadonlyMap<string, string | undefined> = new Map([
  // Anthropic, Nova
  ['end_turn', undefined],
  ['stop_sequence', undefined],
  ['tool_use', undefined],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['refusal', 'refusal'],
  ['content_filtered', 'content_filter'],
  ['guardrail_intervened', 'content_filter'],
  ['malformed_model_output', 'malformed_model_output'],
  ['malformed_tool_use', 'malformed_tool_use'],
  // Titan
  ['finish', undefined],
  ['finished', undefined],
  ['stop_criteria_met', undefined],
  // Llama, Mistral, and other models with OpenAI's protocol
  ['stop', undefined],
  ['tool_calls', undefined],
  ['length', 'length'],
  ['content_filter', 'content_filter'],
  // Cohere
  ['complete', undefined],
  ['tool_call', undefined],
  ['error_limit', 'length'],
  ['error_toxic', 'content_filter'],
  ['error', 'error'],
])

/** Why a body must not be stored by default, or `undefined` if it is complete and successful. */
export function judgeBody(body: JsonObject): string | undefined {
  if (hasError(body) || body['type'] === 'error') return 'error'
  if (wasGuarded(body)) return 'content_filter'
  const family = families.find((each) => each.is(body))
  if (family !== undefined) return family.skipReason(body)
  // A caller may use any model, also one that is not known here. The service reported success, so the answer is stored unless its body
  // says otherwise.
  if (Object.keys(body).length === 0) return 'empty'
  return reasonsIn(body)
    .map(judgeStop)
    .find((reason) => reason !== undefined)
}

/** The usage of a body, if its family gives it. */
export function bodyUsage(body: JsonObject): Usage | undefined {
  return families.find((each) => each.is(body))?.usage?.(body)
}

/**
 * Whether a guardrail replaced the model's answer by a message of its own.
 * Source: https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-invoke-api.html
 */
export function wasGuarded(body: JsonObject): boolean {
  const action = body['amazon-bedrock-guardrailAction']
  return typeof action === 'string' && action !== 'NONE'
}

/** Every stop reason in a body, or in a chunk of one. */
export function reasonsIn(body: JsonObject): unknown[] {
  const parts = [body, ...partMembers.flatMap((member) => body[member])].filter(isJsonObject)
  return parts.flatMap((part) => stopMembers.map((member) => part[member])).filter((reason) => reason !== undefined && reason !== null)
}

/** Why a stop reason forbids storing, or `undefined`. */
export function judgeStop(reason: unknown): string | undefined {
  const name = typeof reason === 'string' ? reason.toLowerCase() : ''
  return stopReasons.has(name) ? stopReasons.get(name) : 'stop_reason'
}

/** A family whose body is one answer with its text in `member`. */
function single(member: string, stop: string, usage?: Family['usage']): Family {
  return {
    is: (body) => typeof body[member] === 'string' && Object.hasOwn(body, stop),
    skipReason: (body) => judgeStop(body[stop]) ?? (isFilled(body[member]) ? undefined : 'empty'),
    ...(usage === undefined ? {} : { usage }),
  }
}

/** What else is known of a family whose body has a list of answers. */
interface ListedRules {
  readonly usage?: Family['usage']
  /** Why an answer that ended well must not be stored. @default it may be */
  readonly judge?: (part: JsonObject) => string | undefined
}

/** A family whose body has a list of answers in `member`. */
function listed(member: string, says: (part: JsonObject) => boolean, { usage, judge }: ListedRules = {}): Family {
  const listOf = (body: JsonObject): unknown[] => {
    const list = body[member]
    return Array.isArray(list) ? list : []
  }
  return {
    // A list of the same name without stop reasons, such as a reranker's, belongs to another family.
    is: (body) =>
      Array.isArray(body[member]) &&
      listOf(body).every((part) => isJsonObject(part) && stopMembers.some((name) => Object.hasOwn(part, name))),
    skipReason(body) {
      const parts = listOf(body).filter(isJsonObject)
      if (parts.length === 0) return 'empty'
      for (const part of parts) {
        const reason = judgeStop(stopMembers.map((name) => part[name]).find((value) => value !== undefined && value !== null))
        const flaw = reason ?? judge?.(part)
        if (flaw !== undefined) return flaw
        if (!says(part)) return 'empty'
      }
      return undefined
    },
    ...(usage === undefined ? {} : { usage }),
  }
}

function isFilled(value: unknown): boolean {
  return (typeof value === 'string' || Array.isArray(value)) && value.length > 0
}

/** Anthropic's messages, whose bodies are those of Anthropic itself. */
const anthropic: Family = {
  is: ({ type, content }) => type === 'message' && Array.isArray(content),
  skipReason: (body) => anthropicMessages.skipReason(body),
  usage: (body) => anthropicMessages.usage(body),
}

/** Amazon Nova, which answers as Converse does. Source: https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html */
const nova: Family = {
  is: ({ output, stopReason }) => isJsonObject(output) && isJsonObject(output['message']) && typeof stopReason === 'string',
  skipReason: judgeConverse,
  usage: converseUsage,
}

function titanUsage({ inputTextTokenCount: input, results }: JsonObject): Usage | undefined {
  if (typeof input !== 'number') return undefined
  const parts = Array.isArray(results) ? results.filter(isJsonObject) : []
  if (!parts.every((part) => part['tokenCount'] === undefined || isCounted(part, ['tokenCount']))) return undefined
  return { input: count(input), output: parts.reduce((sum, { tokenCount }) => sum + count(tokenCount), 0) }
}

/** One embedding of Amazon Titan. Source: …/model-parameters-titan-embed-text.html, …/model-parameters-titan-embed-mm.html */
const titanEmbedding: Family = {
  is: ({ embedding, embeddingsByType: byType }) => Array.isArray(embedding) || isJsonObject(byType),
  skipReason({ embedding, embeddingsByType: byType, message }) {
    // The multimodal model puts its error here.
    if (isFilled(message)) return 'error'
    return isFilled(embedding) || (isJsonObject(byType) && Object.values(byType).some(isFilled)) ? undefined : 'empty'
  },
  usage: titanUsage,
}

/** Embeddings of Cohere: a list, or one list for each requested type. Source: …/model-parameters-embed-v4.html */
const embeddings: Family = {
  is: ({ embeddings: list }) => Array.isArray(list) || isJsonObject(list),
  skipReason({ embeddings: list }) {
    const lists = isJsonObject(list) ? Object.values(list) : [list]
    return lists.length > 0 && lists.every((each) => Array.isArray(each) && each.length > 0 && each.every(isVector)) ? undefined : 'empty'
  },
}

function isVector(value: unknown): boolean {
  return isFilled(value) || isJsonObject(value)
}

/** Pictures of Nova Canvas, Titan and Stability AI. Source: …/model-parameters-stability-diffusion.html */
const images: Family = {
  is: ({ images: list }) => Array.isArray(list),
  skipReason({ images: list, finish_reasons: reasons }) {
    if (Array.isArray(reasons) && reasons.some((reason) => reason !== null)) return 'content_filter'
    return Array.isArray(list) && list.length > 0 && list.every(isFilled) ? undefined : 'empty'
  },
}

/** The tokens that Llama counts. Source: …/model-parameters-meta.html */
function llamaUsage({ prompt_token_count: input, generation_token_count: output }: JsonObject): Usage | undefined {
  return typeof input === 'number' && typeof output === 'number' ? { input: count(input), output: count(output) } : undefined
}

/** The tokens that Cohere bills for, if its body gives them. */
function cohereUsage({ meta }: JsonObject): Usage | undefined {
  const units = isJsonObject(meta) ? meta['billed_units'] : undefined
  return isJsonObject(units) && isCounted(units, ['input_tokens', 'output_tokens'])
    ? { input: count(units['input_tokens']), output: count(units['output_tokens']) }
    : undefined
}

/** In the order in which they are tried. */
const families: readonly Family[] = [
  anthropic,
  nova,
  // Mistral, and other models with OpenAI's protocol
  listed(
    'choices',
    ({ message, text }) => isFilled(text) || (isJsonObject(message) && (isFilled(message['content']) || isFilled(message['tool_calls']))),
    { usage: promptUsage, judge: judgeChoice },
  ),
  // Titan
  listed('results', ({ outputText }) => isFilled(outputText), { usage: titanUsage }),
  // Mistral's completions
  listed('outputs', ({ text }) => isFilled(text)),
  // Cohere's Command
  listed('generations', ({ text }) => isFilled(text), { usage: cohereUsage }),
  // Llama
  single('generation', 'stop_reason', llamaUsage),
  // Anthropic's completions
  single('completion', 'stop_reason'),
  // Cohere's Command R, which may answer with tool calls or with searches alone
  {
    is: ({ text, finish_reason: stop }) => typeof text === 'string' && stop !== undefined,
    skipReason: ({ text, finish_reason: stop, tool_calls: calls, search_queries: queries }) =>
      judgeStop(stop) ?? ([text, calls, queries].some(isFilled) ? undefined : 'empty'),
    usage: cohereUsage,
  },
  titanEmbedding,
  embeddings,
  images,
]
