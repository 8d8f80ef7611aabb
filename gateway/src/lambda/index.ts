/**
 * The door `llmemo-gateway/lambda`: the gateway as a function of AWS Lambda.
 * @module
 */
import { createHttpHandler, createStreamHandler, type HttpHandler, type StreamHandler } from './handlers.ts'
import { createEventBridgeHandler, createSqsHandler, type EventBridgeHandler, openForMessages, type SqsHandler } from './queue-handlers.ts'
import { openFromEnvironment } from './served.ts'
import { createWarmHandler, type WarmHandler } from './warm-handler.ts'

export { createHttpHandler, createStreamHandler } from './handlers.ts'
export { createEventBridgeHandler, createSqsHandler, openForMessages } from './queue-handlers.ts'
export { openFromEnvironment } from './served.ts'
export { createWarmHandler } from './warm-handler.ts'

export type { HttpHandler, ResponseStream, StreamHandler } from './handlers.ts'
export type { HttpResult } from './http-event.ts'
export type { EventBridgeHandler, OpenApplied, SqsHandler, SqsResult } from './queue-handlers.ts'
export type { LambdaContext, OpenServed, Served } from './served.ts'
export type { Applied } from './steps.ts'
export type { WarmHandler, WarmResult } from './warm-handler.ts'

/** Answers HTTP requests as the variables of the environment say, each response whole. */
export const httpHandler: HttpHandler = createHttpHandler(openFromEnvironment)

/** The same, with each response as a stream. */
export const streamHandler: StreamHandler = createStreamHandler(openFromEnvironment)

/** Applies messages of a queue: steps, and what `queueStore` of `llmemo/sqs` sent. */
export const sqsHandler: SqsHandler = createSqsHandler(openForMessages)

/** Applies the steps in events of EventBridge. */
export const eventBridgeHandler: EventBridgeHandler = createEventBridgeHandler(openForMessages)

/** Fills the cache from a list. */
export const warmHandler: WarmHandler = createWarmHandler(openForMessages)
