/**
 * OpenAI's speech from text.
 * Source: https://platform.openai.com/docs/api-reference/audio/createSpeech
 * @module
 */
import type { Endpoint } from '../endpoint.ts'
import { endsWith } from './body.ts'
import { openaiSpeechPlaces } from './places.ts'

/** Speech: sound as bytes, or with `stream_format: 'sse'` as events. */
export const openaiSpeech: Endpoint = {
  provider: 'openai',
  name: 'audio.speech',
  path: '/audio/speech',
  operation: 'speech',
  ignored: [],
  place: openaiSpeechPlaces,
  binary: true,
  complete: (events) => endsWith(events, 'speech.audio.done'),
  bypassReason: () => undefined,
  // Bytes are never judged, so an answer that is judged is JSON and no sound.
  skipReason: () => 'malformed',
  usage: () => undefined,
}
