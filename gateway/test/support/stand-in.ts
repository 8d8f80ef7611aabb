import { isJsonObject } from '../../../src/json/object.ts'
import type { ProviderRequest } from '../../../test/support/provider-server.ts'

/** Whether a request to the stand-in provider asks for a stream. */
export function isStreamRequest({ body }: Pick<ProviderRequest, 'body'>): boolean {
  return isJsonObject(body) && body['stream'] === true
}
