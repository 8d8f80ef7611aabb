/**
 * The endpoints of OpenAI that are cached. Calls to other endpoints pass through.
 * @module
 */
import type { Endpoint } from '../endpoint.ts'
import { openaiChat } from './chat.ts'
import { openaiCompletions } from './completions.ts'
import { openaiEmbeddings } from './embeddings.ts'
import { openaiImages } from './images.ts'
import { openaiModerations } from './moderations.ts'
import { openaiResponses } from './responses.ts'
import { openaiSpeech } from './speech.ts'
import { openaiTranscriptions } from './transcriptions.ts'

/** Every endpoint of OpenAI that is cached. */
export const openaiEndpoints: readonly Endpoint[] = [
  openaiChat,
  openaiCompletions,
  openaiResponses,
  openaiEmbeddings,
  openaiModerations,
  openaiImages,
  openaiSpeech,
  openaiTranscriptions,
]
