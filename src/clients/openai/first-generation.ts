/**
 * The seam of an SDK that its generator made before clients had `withOptions` and calls had `fetchOptions`: that of Cerebras. The SDK's own
 * hook `prepareRequest` puts on each request what the cache must know of the call.
 * @module
 */
import type { Engine } from '../../engine/engine.ts'
import { type ClientShape, hasShape } from '../../providers/catalogue.ts'
import { callOptions, passedOptionsIn } from '../call-options.ts'
import type { Fetch } from '../http/caching-fetch.ts'
import { isMethod } from '../http/own-code.ts'
import { bareClient, type FetchClient, withCallOptions } from '../http/sdk-client.ts'
import { twinFetch, withMembers } from '../http/twin-fetch.ts'
import { settled, type ShownField, type Twin, twinOf } from '../http/twin.ts'

const cerebras: ClientShape = {
  methods: ['chat.completions.create', 'completions.create', 'models.list', 'post', 'prepareRequest', 'fetch'],
  // Other SDKs of this generation have more that would have to be cached: openai 4, and groq-sdk and together-ai of that time.
  lacks: ['withOptions', 'embeddings'],
}

/** Whether `client` is a client of Cerebras. */
export function isFirstGeneration(client: object): client is FetchClient {
  return hasShape(client, cerebras)
}

/** A client of the same type that goes through the engine. The caller's own client is not changed. */
export function wrapFirstGeneration(client: FetchClient, engine: Engine): FetchClient {
  const twin = twinOf(client, bareClient(client), { fetch: readingErrors(twinFetch(engine, {})) })
  const value = (request: object, context: unknown): Promise<void> => prepareRequest(twin, request, context)
  Object.defineProperty(twin.client, 'prepareRequest', { value, configurable: true, writable: true })
  return settled(withCallOptions(twin, { engine }))
}

/** A `fetch` that reads an error to its end: the SDK leaves it unread when it tries again, and its flight would go on. */
function readingErrors({ shown }: ShownField): ShownField {
  const known = new WeakMap<object, Fetch>()
  return {
    shown(given) {
      const fetch = shown(given)
      if (!isFetch(fetch)) return fetch
      const reading = known.get(fetch) ?? withMembers(async (input, init) => wholeError(await fetch(input, init)), fetch)
      known.set(fetch, reading)
      return reading
    },
  }
}

function isFetch(value: unknown): value is Fetch {
  return isMethod(value)
}

async function wholeError(response: Response): Promise<Response> {
  if (response.ok) return response
  const { status, statusText, headers } = response
  return new Response((await response.text()) || null, { status, statusText, headers })
}

/** The SDK's hook, or that of the caller's class, and then ours. */
async function prepareRequest({ client, view }: Twin<FetchClient>, request: object, context: unknown): Promise<void> {
  const own: unknown = Reflect.get(view, 'prepareRequest')
  if (isMethod(own)) await Reflect.apply(own, client, [request, context])
  const options: unknown = Reflect.get(Object(context), 'options')
  const fetchOptions: unknown = Reflect.get(Object(options), 'fetchOptions')
  const passed = typeof fetchOptions === 'object' && fetchOptions !== null ? passedOptionsIn(fetchOptions) : undefined
  if (passed !== undefined) Reflect.set(request, callOptions, passed)
}
