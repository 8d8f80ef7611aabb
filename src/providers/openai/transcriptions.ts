/**
 * OpenAI's text from speech.
 * Source: https://platform.openai.com/docs/api-reference/audio/createTranscription
 * @module
 */
import type { Endpoint } from '../endpoint.ts'
import { endsWith, hasError, inputUsage } from './body.ts'

/** Transcriptions: JSON, or plain text if the request asks for another `response_format`. */
export const openaiTranscriptions: Endpoint = {
  provider: 'openai',
  name: 'audio.transcriptions',
  path: '/audio/transcriptions',
  operation: 'transcriptions',
  ignored: [],
  plain: true,
  complete: (events) => endsWith(events, 'transcript.text.done'),
  bypassReason: () => undefined,
  skipReason(answer) {
    if (hasError(answer)) return 'error'
    const { text } = answer
    if (typeof text !== 'string') return 'malformed'
    return text === '' ? 'empty' : undefined
  },
  usage: inputUsage,
}
