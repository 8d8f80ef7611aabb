/**
 * The OpenAI seam: a client like the caller's, with our `fetch`.
 * @module
 */
import type { Engine } from '../../engine/engine.ts'
import { fetchThrough } from '../http/caching-fetch.ts'
import { openFastLane } from '../http/fast-lane.ts'
import { isClientOf } from '../../providers/catalogue.ts'
import { bareClient, type FetchClient, optionOf, withCallOptions } from '../http/sdk-client.ts'

/** Whether `client` is an OpenAI or Azure OpenAI client. */
export function isOpenAi(client: object): client is FetchClient {
  return isClientOf('openai', client)
}

/** A client of the same type that goes through the engine. The caller's own client is not changed. */
export function wrapOpenAi(client: FetchClient, engine: Engine): FetchClient {
  const own = bareClient(client)
  const rotating = isRotating(own)
  const fetch = fetchThrough(engine, own.fetch, { rotating })
  const wrapped = own.withOptions({ ...inheritedOptions(own), fetch })
  if (!rotating) openFastLane(wrapped, engine, () => wrapped.fetch === fetch)
  const again = (options: object): FetchClient => wrapOpenAi(own.withOptions({ ...inheritedOptions(own), ...options }), engine)
  return withCallOptions(wrapped, { own, again })
}

/** Options that a clone needs again: openai 5 drops a function that gives the key, and before openai 7 Azure drops its own options. */
function inheritedOptions(client: object): object {
  const apiKey = optionOf(client, 'apiKey')
  const apiVersion: unknown = Reflect.get(client, 'apiVersion')
  const provider: unknown = Reflect.get(client, '_azureADTokenProvider')
  const deployment: unknown = Reflect.get(client, 'deploymentName')
  return {
    ...(typeof apiKey === 'function' && { apiKey }),
    ...(typeof apiVersion === 'string' && { apiVersion }),
    ...(typeof deployment === 'string' && { deployment }),
    ...(typeof provider === 'function' && { azureADTokenProvider: provider }),
  }
}

/** Whether the key comes from a function, an identity or a token that changes by itself. Such a key does not identify the caller. */
function isRotating(client: object): boolean {
  return (
    typeof optionOf(client, 'apiKey') === 'function' ||
    typeof optionOf(client, 'azureADTokenProvider') === 'function' ||
    typeof Reflect.get(client, '_azureADTokenProvider') === 'function' ||
    optionOf(client, 'workloadIdentity') !== undefined
  )
}
