/**
 * Errors of the AWS SDK that mean that the service fails or cannot be reached, not that the call is wrong.
 * @module
 */
import { isJsonObject } from '../../json/object.ts'

/**
 * Whether a call failed by an outage of the service: it throttles, fails, or cannot be reached. Without credentials no call is made; that
 * is a fault of the configuration.
 * Source: https://github.com/smithy-lang/smithy-typescript/blob/main/packages/service-error-classification/src/index.ts
 */
export function isOutage(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const metadata: unknown = Reflect.get(error, '$metadata')
  const status: unknown = isJsonObject(metadata) ? metadata['httpStatusCode'] : undefined
  if (typeof status === 'number') return status === 429 || status >= 500
  // Node's errors of sockets have a code such as ECONNRESET. Time-outs of the SDK's handlers have the name TimeoutError.
  // Our own error for a flight that took too long has the code DEADLINE.
  const code: unknown = Reflect.get(error, 'code')
  return (typeof code === 'string' && /^E[A-Z]/.test(code)) || code === 'DEADLINE' || Reflect.get(error, 'name') === 'TimeoutError'
}
