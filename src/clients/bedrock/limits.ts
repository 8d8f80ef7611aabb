/**
 * What decides how a call fails on the caller's side: its time limit, its client's retries and credentials. Another call with the same key
 * may have others.
 * @module
 */
import type { CallLimits, Joining } from '../../engine/seam.ts'
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import type { BedrockClient, ExecutionContext } from './sdk-client.ts'
import { isOutage } from './outage.ts'

/** The limits of one call of this client. */
export function limitsOf(client: BedrockClient, { requestTimeout }: JsonObject): CallLimits {
  const timeout = typeof requestTimeout === 'number' && requestTimeout > 0 ? requestTimeout : undefined
  return { source: client, timeout, findTimeout: async () => endingTimeout(Reflect.get(client.config, 'requestHandler'), timeout) }
}

/** The time limit after which the request handler ends a request; `undefined` if it has none, or only writes a warning. */
async function endingTimeout(handler: unknown, given: number | undefined): Promise<number | undefined> {
  if (!isJsonObject(handler)) return given
  const config: unknown = handler['config'] ?? (await handler['configProvider'])
  if (!isJsonObject(config)) return given
  if ('throwOnRequestTimeout' in config && config['throwOnRequestTimeout'] !== true) return undefined
  const { requestTimeout } = config
  return given ?? (typeof requestTimeout === 'number' && requestTimeout > 0 ? requestTimeout : undefined)
}

/**
 * Whether a failed flight says nothing about another call that waits for it: the failure depends on the limits of the call that made it,
 * and the other one has different limits, or has come so late that its own are not used up.
 */
export function isOthersFailure(error: unknown, { alike, late }: Joining): boolean {
  if (isCredentialFailure(error)) return !alike || statusOf(error) === undefined || hasExpired(error)
  return isOutage(error) && (!alike || late)
}

/** Errors of calls that never were sent. */
const unsent = new WeakSet<object>()

/** Notes that the SDK failed before it had an endpoint. Credentials and region are resolved until then, each for its own call. */
export function noteUnsent(error: unknown, { endpointV2 }: ExecutionContext): void {
  if (endpointV2 === undefined && typeof error === 'object' && error !== null) unsent.add(error)
}

/** Whether the SDK had no credentials, or the service refused them. */
function isCredentialFailure(error: unknown): boolean {
  const status = statusOf(error)
  if (status !== undefined) return status === 401 || status === 403 || hasExpired(error)
  return (typeof error === 'object' && error !== null && unsent.has(error)) || /Credential|Token|Expired/.test(nameOf(error))
}

function hasExpired(error: unknown): boolean {
  return nameOf(error).includes('Expired')
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : ''
}

function statusOf(error: unknown): number | undefined {
  const metadata: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, '$metadata') : undefined
  const status: unknown = isJsonObject(metadata) ? metadata['httpStatusCode'] : undefined
  return typeof status === 'number' ? status : undefined
}
