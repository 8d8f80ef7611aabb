/**
 * The door `llmemo-gateway/lambda`: the gateway as a function of AWS Lambda.
 * @module
 */
import { createHttpHandler, createStreamHandler, type HttpHandler, type StreamHandler } from './handlers.ts'
import { openFromEnvironment } from './served.ts'

export { createHttpHandler, createStreamHandler } from './handlers.ts'
export { openFromEnvironment } from './served.ts'

export type { HttpHandler, ResponseStream, StreamHandler } from './handlers.ts'
export type { HttpResult } from './http-event.ts'
export type { LambdaContext, OpenServed, Served } from './served.ts'

/** Answers HTTP requests as the variables of the environment say, each response whole. */
export const httpHandler: HttpHandler = createHttpHandler(openFromEnvironment)

/** The same, with each response as a stream. */
export const streamHandler: StreamHandler = createStreamHandler(openFromEnvironment)
