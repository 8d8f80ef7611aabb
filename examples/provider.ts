/**
 * Whom the examples ask: OpenAI when the environment has a key, else the stand-in.
 * @module
 */
import { startStandIn } from './stand-in/server.ts'

/** Who is asked, and how an SDK is told. */
export interface Provider {
  /** Who is asked, as a line for the reader. */
  readonly description: string
  /** What the SDK's client is made with. */
  readonly options: {
    readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
    readonly apiKey?: string
    readonly baseURL?: string
  }
  /** How many requests really went to the provider. */
  calls(): number
  /** Lets the process end. */
  close(): Promise<void>
}

/**
 * OpenAI, or whom `OPENAI_BASE_URL` names, when there is an `OPENAI_API_KEY`; else the stand-in.
 * @param keyName the variable that holds the key of another provider
 * @param path what follows the host in the base URL that the SDK expects
 */
export async function openProvider(keyName = 'OPENAI_API_KEY', path = '/v1'): Promise<Provider> {
  const real = (process.env[keyName] ?? '') !== ''
  const standIn = real ? undefined : await startStandIn()
  const ask = standIn?.fetch ?? fetch
  let calls = 0
  return {
    description: real ? `Asking the real API, by ${keyName}.` : `Asking the stand-in on this machine; set ${keyName} to ask the real API.`,
    options: {
      // Only the calls that the cache does not answer come here.
      fetch(input, init) {
        calls += 1
        return ask(input, init)
      },
      // A key that never changes, as answers are kept under a digest of it. The real key is read from the environment by the SDK itself.
      ...(standIn !== undefined && { apiKey: 'no-key-needed', baseURL: `${standIn.baseURL}${path}` }),
    },
    calls: () => calls,
    close: async () => standIn?.close(),
  }
}
