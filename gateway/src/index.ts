/**
 * llmemo-gateway: one cache of LLM answers for every language, team and service.
 * @module
 */

export { createGateway } from './gateway.ts'
export { gatewayFromEnvironment } from './from-environment.ts'
export { GatewayError, GatewayOptionsError } from './errors.ts'
export { readSettings } from './config/settings.ts'
export { lineLog, silentLog } from './log.ts'
export { listen } from './server/listen.ts'

export type { Caller, Role } from './caller.ts'
export type { GatewayData, GatewaySettings } from './config/settings.ts'
export type { Connection } from './context.ts'
export type { GatewayErrorCode } from './errors.ts'
export type { PlatformGateway } from './from-environment.ts'
export type { Gateway, GatewayOptions } from './gateway.ts'
export type { Log, LogFields, LogLevel } from './log.ts'
export type { Listening, ListenOptions } from './server/listen.ts'
