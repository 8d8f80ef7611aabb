/**
 * The endpoints of OpenAI that are cached. What is not in this list passes through.
 * @module
 */
import type { Endpoint } from './endpoint.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiCompletions } from './openai-completions.ts'
import { openaiEmbeddings } from './openai-embeddings.ts'
import { openaiImages } from './openai-images.ts'
import { openaiModerations } from './openai-moderations.ts'
import { openaiResponses } from './openai-responses.ts'
import { openaiSpeech } from './openai-speech.ts'
import { openaiTranscriptions } from './openai-transcriptions.ts'

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
