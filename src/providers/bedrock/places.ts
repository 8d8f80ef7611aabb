/**
 * The places in Bedrock's requests: objects of the protocol's own, and the prose of messages.
 * The rest is free-form and keeps its order: `toolConfig.tools.toolSpec.inputSchema.json`, `messages.content.toolUse.input`,
 * `messages.content.toolResult.content.json`, `additionalModelRequestFields`, `promptVariables`.
 * Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 * @module
 */
import { pathsBelow, type PlaceTable, placeOf } from '../../json/places.ts'
import { messagesPlaces } from '../anthropic/places.ts'
import { chatPlaces } from '../openai/places.ts'

/** The objects in a block of media. */
const media = ['image', 'document', 'video', 'audio'].flatMap((kind) => [`${kind}.source.s3Location`, `${kind}.source.content`])

const conversePlaces: PlaceTable = {
  unordered: [
    ...pathsBelow('messages.content', [
      ...media,
      'document.citations',
      'toolUse',
      ...pathsBelow('toolResult.content', [...media, 'searchResult.content', 'searchResult.citations']),
      'searchResult.content',
      'searchResult.citations',
      'reasoningContent.reasoningText',
      'guardContent.text',
      'guardContent.image.source',
      'cachePoint',
      'citationsContent.content',
      'citationsContent.citations.sourceContent',
      ...['web', 'documentChar', 'documentPage', 'documentChunk', 'searchResultLocation'].map(
        (kind) => `citationsContent.citations.location.${kind}`,
      ),
    ]),
    'system.guardContent.text',
    'system.guardContent.image.source',
    'system.cachePoint',
    'inferenceConfig',
    'toolConfig.tools.toolSpec.inputSchema',
    'toolConfig.tools.systemTool',
    'toolConfig.tools.cachePoint',
    'toolConfig.toolChoice.auto',
    'toolConfig.toolChoice.any',
    'toolConfig.toolChoice.tool',
    'guardrailConfig',
    'performanceConfig',
    'serviceTier',
    'outputConfig.textFormat.structure.jsonSchema',
    'additionalModelResponseFieldPaths',
  ],
  prose: ['messages.content.text', 'system.text'],
}

/** Converse. */
export const conversePlace = placeOf(conversePlaces)

/** InvokeModel of Anthropic's messages. */
export const invokeMessagesPlace = placeOf({
  unordered: pathsBelow('body', messagesPlaces.unordered),
  prose: pathsBelow('body', messagesPlaces.prose),
})

/** What the bodies of the other families have of their own. Source: …/model-parameters.html */
const familyObjects = [
  // Titan
  'textGenerationConfig',
  'embeddingConfig',
  // Nova Canvas and Titan's pictures
  'imageGenerationConfig',
  'textToImageParams',
  'inPaintingParams',
  'outPaintingParams',
  'imageVariationParams',
  'colorGuidedGenerationParams',
  // Cohere
  'chat_history',
  'tools',
  'inputs.content.image_url',
]

/** InvokeModel of any other family: those with OpenAI's protocol, Nova, which has Converse's, and the rest. */
export const invokePlace = placeOf({
  unordered: pathsBelow('body', [...chatPlaces.unordered, ...conversePlaces.unordered, ...familyObjects]),
  prose: pathsBelow('body', [...chatPlaces.prose, ...conversePlaces.prose, 'system', 'prompt', 'message', 'chat_history.message']),
})
