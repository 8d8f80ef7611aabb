/**
 * The endpoints of AWS Bedrock Runtime that are cached. Calls to other endpoints pass through.
 * @module
 */
import type { JsonObject } from '../../json/object.ts'
import { bedrockConverse } from './converse.ts'
import { bedrockInvokeMessages, isMessages } from './invoke-messages.ts'
import { bedrockInvoke } from './invoke.ts'
import type { Endpoint } from '../endpoint.ts'

/** Every endpoint of AWS Bedrock Runtime that is cached. */
export const bedrockEndpoints: readonly Endpoint[] = [bedrockConverse, bedrockInvokeMessages, bedrockInvoke]

/** The endpoint for a request of InvokeModel, by the form of its body. */
export function invokeEndpoint(request: JsonObject): Endpoint {
  return isMessages(request) ? bedrockInvokeMessages : bedrockInvoke
}
