/**
 * The OpenAI seam: a twin of the caller's client, with our `fetch`.
 * @module
 */
import { isJsonObject } from '../../json/object.ts'
import type { Engine } from '../../engine/engine.ts'
import { InvalidOptionError } from '../../errors.ts'
import { openFastLane } from '../http/fast-lane.ts'
import type { LaneMethods } from '../http/lane.ts'
import { openMethodLane } from '../http/method-lane.ts'
import { isOverridden } from '../http/sdk-class.ts'
import { twinFetch } from '../http/twin-fetch.ts'
import { settled, twinOf } from '../http/twin.ts'
import { isClientOf } from '../../providers/catalogue.ts'
import { bareClient, type FetchClient, optionOf, withCallOptions } from '../http/sdk-client.ts'
import { namesHeader } from '../http/given-headers.ts'
import { eventForm } from './event-forms.ts'

/** Whether `client` is an OpenAI or Azure OpenAI client. */
export function isOpenAi(client: object): client is FetchClient {
  return isClientOf('openai', client)
}

/** A client of the same type that goes through the engine. The caller's own client is not changed. */
export function wrapOpenAi(client: FetchClient, engine: Engine): FetchClient {
  const own = bareClient(client)
  assertSeam(own)
  const tokens = new RecentTokens()
  const rotating = isRotating(own)
  const fetch = twinFetch(engine, {
    isRotated: (name, value, headers) =>
      name === 'authorization' &&
      (isSigned(twin.client) || tokens.has(value)) &&
      !namesHeader(headers, name) &&
      !namesHeader(optionOf(twin.client, 'defaultHeaders'), name),
  })
  const twin = twinOf(client, own, {
    fetch,
    ...(rotating && { apiKey: { shown: (key: unknown) => tokens.noted(key), copied: same } }),
  })
  const seam: unknown = Reflect.get(twin.client, 'fetch')
  const isSeamOurs = (): boolean => twin.client.fetch === seam
  if (!rotating) openFastLane(twin, engine, isSeamOurs)
  const wrapped = withCallOptions(twin, { engine, again: (copy) => wrapOpenAi(copy, engine) })
  if (!rotating) openMethodLane(twin, engine, { ...laneMethods, isSeamOurs })
  return settled(wrapped)
}

/**
 * A client with a certificate never calls its `fetch`, but a transport in a private member of the SDK.
 * @throws {InvalidOptionError} for a client that the cache could never see a call of
 */
function assertSeam(own: FetchClient): void {
  if (!isPresent(optionOf(own, 'x509Transport'))) return
  throw new InvalidOptionError(
    'client',
    own,
    'a client without an X.509 certificate: the SDK sends its requests by a transport of its own and never calls the `fetch` of the client, ' +
      'so the cache cannot see them. Use a key, a token or another workload identity, or do not wrap this client',
  )
}

function same(value: unknown): unknown {
  return value
}

/** The latest values of a key that a function gives. The SDK reads each of them to make its header. */
class RecentTokens {
  readonly #headers = new Set<string>()

  noted(key: unknown): unknown {
    if (typeof key === 'string') {
      this.#headers.add(`Bearer ${key}`)
      for (const oldest of this.#headers) if (this.#headers.size > 100) this.#headers.delete(oldest)
    }
    return key
  }

  has(header: string): boolean {
    return this.#headers.has(header)
  }
}

/** Whether a provider or an identity makes the header of each request, and no later method may set another. */
function isSigned(client: object): boolean {
  if (isPresent(Reflect.get(client, '_provider'))) return !isOverridden(client, sending)
  return isPresent(Reflect.get(client, '_workloadIdentityAuth')) && !isOverridden(client, [...sending, ...preparing])
}

const sending = ['fetchWithAuth', 'fetchWithTimeout']
/** An identity sets its header only if these have not set one. */
const preparing = ['prepareOptions', 'buildRequest', 'buildHeaders', 'authHeaders', 'prepareRequest']

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** Whether the key comes from a function, an identity or a token that changes by itself. Such a key does not identify the caller. */
function isRotating(client: object): boolean {
  const signers = ['_provider', '_workloadIdentityAuth'].map((name): unknown => Reflect.get(client, name))
  return signers.some(isPresent) || typeof optionOf(client, 'apiKey') === 'function'
}

const laneMethods: LaneMethods = {
  resources: [['chat', 'completions'], ['responses'], ['completions']],
  ids: { _request_id: 'x-request-id' },
  events: {
    use({ event = '', data }) {
      if (data === '[DONE]') return 'end'
      return event === 'error' || event.startsWith('thread.') || data.startsWith('[DONE]') ? 'other' : 'give'
    },
    isGiven: (data) => !(isJsonObject(data) && data['error']),
    form: eventForm,
  },
}
