/**
 * The finish reasons of the servers that speak OpenAI's protocol, in any letter case. Some pass on the reason of the model's own maker.
 * Sources: OpenAI https://platform.openai.com/docs/api-reference/chat/object, Mistral https://docs.mistral.ai/api,
 * Together https://docs.together.ai/reference/chat-completions, Gemini https://ai.google.dev/api/generate-content#FinishReason,
 * Anthropic https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons,
 * Cohere https://docs.cohere.com/reference/chat, TGI https://huggingface.co/docs/text-generation-inference
 * @module
 */

/** Reasons of a complete answer. */
const complete = new Set([
  'stop',
  'tool_calls',
  'function_call',
  // Together, TGI, and others that name the token or the text at which the model ended.
  'eos',
  'eos_token',
  'stop_sequence',
  'stop_token',
  // Anthropic, Cohere.
  'end_turn',
  'tool_use',
  'complete',
  'tool_call',
])

/** Reasons of an answer that was cut off. */
const cut = new Set([
  'length',
  'max_tokens',
  'max_output_tokens',
  'model_length',
  'model_context_window_exceeded',
  'context_length_exceeded',
])

/** Reasons of an answer that a filter held back in part. */
const filtered = new Set([
  'content_filter',
  'content_filtered',
  'safety',
  'sensitive',
  'recitation',
  'blocklist',
  'prohibited_content',
  'spii',
  'image_safety',
])

/** Why a finish reason forbids storing, or `undefined`. A reason that is not known may mean anything. */
export function judgeFinish(given: unknown): string | undefined {
  const reason = typeof given === 'string' ? given.toLowerCase() : ''
  if (complete.has(reason)) return undefined
  if (cut.has(reason)) return 'length'
  if (filtered.has(reason)) return 'content_filter'
  return reason === 'refusal' ? reason : 'finish_reason'
}
