/**
 * The places in Anthropic's requests: objects of the protocol's own, and the prose of messages.
 * The rest is free-form and keeps its order: `tools.input_schema`, `output_config.format.schema`, `messages.content.input` of a tool's call.
 * Source: https://platform.claude.com/docs/en/api/messages/create
 * @module
 */
import { pathsBelow, type PlaceTable, placeOf } from '../../json/places.ts'

/** The objects in a block without blocks in it. */
const inBlock = ['source', 'citations', 'caller']

/** A tool's result or a search result holds blocks; a document holds texts and images in its source. */
const blocks = [
  ...inBlock,
  'source.content.source',
  ...pathsBelow('content', [...inBlock, 'source.content.source', ...pathsBelow('content', [...inBlock, 'source.content.source'])]),
]

/** Messages, and the count of their tokens. */
export const messagesPlaces: PlaceTable = {
  unordered: [
    'thinking',
    'tool_choice',
    'output_config.format',
    'output_format',
    'container.skills',
    'mcp_servers.tool_configuration',
    'context_management.edits.trigger',
    'context_management.edits.keep',
    'context_management.edits.clear_at_least',
    'tools.user_location',
    'tools.citations',
    'system.citations',
    ...pathsBelow('messages.content', blocks),
  ],
  prose: ['system', 'system.text', 'messages.content', 'messages.content.text'],
}

/** Messages, and the count of their tokens. */
export const anthropicPlaces = placeOf(messagesPlaces)
