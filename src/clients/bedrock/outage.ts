/**
 * Errors of the AWS SDK that say that the service is out of order, or out of reach, rather than that the call is wrong.
 * @module
 */
import { isJsonObject } from '../../json/object.ts'

/**
 * Whether a call failed by the service's outage: it throttles, fails, or cannot be reached. Without credentials nobody is asked, which
 * is the configuration's fault.
 * Source: https://github.com/smithy-lang/smithy-typescript/blob/main/packages/service-error-classification/src/index.ts
 */
export function isOutage(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  const metadata: unknown = Reflect.get(error, '$metadata')
  const status: unknown = isJsonObject(metadata) ? metadata['httpStatusCode'] : undefined
  if (typeof status === 'number') return status === 429 || status >= 500
  // What Node says of sockets has a code such as ECONNRESET; what the SDK's handlers say of their own time-outs has this name,
  // and what we say of a flight that took too long has the code DEADLINE.
  const code: unknown = Reflect.get(error, 'code')
  return (typeof code === 'string' && /^E[A-Z]/.test(code)) || code === 'DEADLINE' || Reflect.get(error, 'name') === 'TimeoutError'
}
