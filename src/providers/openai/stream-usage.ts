/**
 * The usage of a stream of chunks, which OpenAI gives only on request. The cache can ask for it on its own, and keep it from a caller that
 * did not ask.
 * Azure is left out of the known hosts: it refuses `stream_options` before its API version 2024-09-01-preview, and with `data_sources`.
 * Source: https://platform.openai.com/docs/api-reference/chat/create#chat-create-stream_options
 * @module
 */
import { formatEvents, parseEvents } from '../../base/server-sent-events.ts'
import { isJsonObject } from '../../json/object.ts'
import type { UsageOnRequest } from '../endpoint.ts'
import { withoutUsage } from './chunks.ts'

/** The end of the text of an event that has no usage. */
const lastUsage = ',"usage":null}\n\n'

/** How a stream of chat or legacy completions gets its usage. */
export const chunkUsage: UsageOnRequest = {
  // With those of a region: `eu.api.openai.com`.
  isKnownHost: (hostname) => hostname === 'api.openai.com' || hostname.endsWith('.api.openai.com'),
  ask({ stream_options: options }) {
    return { stream_options: { ...(isJsonObject(options) ? options : {}), include_usage: true } }
  },
  remove(text) {
    const at = text.indexOf('"usage"')
    if (at === -1) return text
    // As OpenAI writes it.
    if (at === text.length - lastUsage.length + 1 && text.endsWith(lastUsage)) return `${text.slice(0, at - 1)}}\n\n`
    const bare = text.replace(/,\s*"usage"\s*:\s*null/, '')
    return bare.includes('"usage"') ? formatEvents(parseEvents(text).flatMap(withoutUsage)) : bare
  },
}
