/**
 * The provider that the examples call: the real one if the environment has its key, else the stand-in.
 * @module
 */
import { startStandIn } from './stand-in/server.ts'

/** A provider, and what an SDK needs to call it. */
export interface Provider {
  /** Whether calls leave this machine and cost money. */
  readonly isReal: boolean
  /** Which provider gets the calls and at which address, as a line for the reader. */
  readonly description: string
  /** The options of the SDK's client. */
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

/** Where each SDK sends its calls, and the variable of the environment that sets another address. */
const addresses: Readonly<Record<string, { readonly variable: string; readonly standard: string }>> = {
  OPENAI_API_KEY: { variable: 'OPENAI_BASE_URL', standard: 'https://api.openai.com/v1' },
  ANTHROPIC_API_KEY: { variable: 'ANTHROPIC_BASE_URL', standard: 'https://api.anthropic.com' },
  GROQ_API_KEY: { variable: 'GROQ_BASE_URL', standard: 'https://api.groq.com' },
}

/**
 * The provider whose key the environment has, else the stand-in.
 * @param keyName the variable that holds the key
 * @param path what follows the host in the base URL that the SDK expects
 */
export async function openProvider(keyName = 'OPENAI_API_KEY', path = '/v1'): Promise<Provider> {
  const isReal = (process.env[keyName] ?? '') !== ''
  const standIn = isReal ? undefined : await startStandIn()
  const ask = standIn?.fetch ?? fetch
  let calls = 0
  return {
    isReal,
    description: isReal
      ? `Calls ${addressOf(keyName)} with ${keyName}: these calls cost money.`
      : `Calls a stand-in on this machine. Set ${keyName} to call the real API.`,
    options: {
      // Only the calls that the cache does not answer come here.
      fetch(input, init) {
        calls += 1
        return ask(input, init)
      },
      // The stand-in's key never changes, as answers are kept under a digest of it. The SDK itself reads a real key from the environment.
      ...(standIn !== undefined && { apiKey: 'no-key-needed', baseURL: `${standIn.baseURL}${path}` }),
    },
    calls: () => calls,
    close: async () => standIn?.close(),
  }
}

/** The base URL that the SDK will use. Ends the process where it holds a user name or password, as every call would fail. */
function addressOf(keyName: string): string {
  const known = addresses[keyName]
  const given = known === undefined ? undefined : process.env[known.variable]
  const url = new URL(given === undefined || given === '' ? (known?.standard ?? 'https://unknown.invalid') : given)
  if (url.username !== '' || url.password !== '') {
    console.error(`Take the user name and password out of ${known?.variable}: fetch refuses an address that holds them.`)
    process.exit(1)
  }
  return `${url.origin}${url.pathname === '/' ? '' : url.pathname}`
}
