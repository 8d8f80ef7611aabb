/**
 * The places in OpenAI's requests: objects of the protocol's own, and the prose of messages.
 * The rest is free-form and keeps its order: `tools.function.parameters`, `response_format.json_schema.schema`, `text.format.schema`,
 * `prompt.variables`, and whatever a server of the same protocol adds.
 * Source: https://platform.openai.com/docs/api-reference
 * @module
 */
import { type PlaceTable, placeOf } from '../../json/places.ts'

/** Chat completions. */
export const chatPlaces: PlaceTable = {
  unordered: [
    'messages.content.image_url',
    'messages.content.input_audio',
    'messages.content.file',
    'messages.audio',
    'messages.function_call',
    'messages.tool_calls.function',
    'messages.tool_calls.custom',
    'tools.function',
    'tools.custom.format.grammar',
    'tool_choice.function',
    'tool_choice.custom',
    'tool_choice.allowed_tools.tools.function',
    'functions',
    'function_call',
    'response_format.json_schema',
    'audio.voice',
    'prediction.content',
    'logit_bias',
    'stream_options',
    'web_search_options.filters',
    'web_search_options.user_location.approximate',
  ],
  prose: ['messages.content', 'messages.content.text'],
}

/** Chat completions. */
export const openaiChatPlaces = placeOf(chatPlaces)

/** Responses. The output of a tool may be the caller's own JSON. */
export const openaiResponsesPlaces = placeOf({
  unordered: [
    'input.content.input_audio',
    'input.content.annotations',
    'input.summary',
    'input.action.path',
    'input.acknowledged_safety_checks',
    'reasoning',
    'text.format',
    'tools.filters.filters.filters',
    'tools.ranking_options.hybrid_search',
    'tools.user_location',
    'tools.allowed_tools',
    'tools.require_approval.always',
    'tools.require_approval.never',
    'tools.container.memory_limit',
    'tools.input_image_mask',
    'tools.format',
    'tool_choice.tools',
    'prompt',
    'stream_options',
  ],
  prose: ['instructions', 'input', 'input.content', 'input.content.text'],
})

/** Legacy completions. */
export const openaiCompletionsPlaces = placeOf({ unordered: ['logit_bias', 'stream_options'], prose: ['prompt'] })

/** Moderations. */
export const openaiModerationsPlaces = placeOf({ unordered: ['input.image_url'], prose: [] })

/** Speech, whose voice may be an object. */
export const openaiSpeechPlaces = placeOf({ unordered: ['voice'], prose: [] })
