/**
 * The places in Gemini's requests: objects of the protocol's own, and the prose of messages.
 * The rest is free-form and keeps its order: schemas, `functionCall.args`, `functionResponse.response`.
 * Source: https://ai.google.dev/api/caching#Content
 * @module
 */
import { pathsBelow, type PlaceTable, placeOf } from '../../json/places.ts'

/** The objects of a content. */
const contentObjects = [
  'parts.inlineData',
  'parts.fileData',
  'parts.functionCall',
  'parts.functionResponse',
  'parts.executableCode',
  'parts.codeExecutionResult',
  'parts.videoMetadata',
]

/** A request for content. */
const contentPlaces: PlaceTable = {
  unordered: [
    ...pathsBelow('contents', contentObjects),
    ...pathsBelow('systemInstruction', contentObjects),
    'tools.functionDeclarations',
    'tools.googleSearch.timeRangeFilter',
    'tools.googleSearchRetrieval.dynamicRetrievalConfig',
    'tools.codeExecution',
    'tools.urlContext',
    'toolConfig.functionCallingConfig',
    'toolConfig.retrievalConfig.latLng',
    'safetySettings',
    'generationConfig.thinkingConfig',
    'generationConfig.imageConfig',
    'generationConfig.speechConfig.voiceConfig.prebuiltVoiceConfig',
  ],
  prose: ['contents.parts.text', 'systemInstruction.parts.text'],
}

/** Content. */
export const geminiContentPlaces = placeOf(contentPlaces)

/** A count of tokens: of contents, or of a whole request. */
export const geminiCountPlaces = placeOf({
  unordered: [...contentPlaces.unordered, ...pathsBelow('generateContentRequest', contentPlaces.unordered)],
  prose: [...contentPlaces.prose, ...pathsBelow('generateContentRequest', contentPlaces.prose)],
})

/** One embedding. */
export const geminiEmbedPlaces = placeOf({ unordered: pathsBelow('content', contentObjects), prose: [] })

/** Embeddings of many contents. */
export const geminiBatchEmbedPlaces = placeOf({ unordered: pathsBelow('requests.content', contentObjects), prose: [] })
