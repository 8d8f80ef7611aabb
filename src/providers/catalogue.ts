/**
 * All that is known of each provider, in one table. To add a provider is to add a folder with its endpoints and a row here.
 * @module
 */
import { anthropicEndpoints } from './anthropic/endpoints.ts'
import { bedrockEndpoints } from './bedrock/endpoints.ts'
import type { Endpoint } from './endpoint.ts'
import { openaiEndpoints } from './openai/endpoints.ts'

/** What is known of one provider. */
export interface Provider {
  /** Its name in keys, entries and statistics: `openai`. */
  readonly name: string
  /** What people call it, in messages. */
  readonly title: string
  /** Every endpoint that is cached. What is not in this list passes through. */
  readonly endpoints: readonly Endpoint[]
  /** Whether its endpoints are told apart by the path of a URL, and so go through a `fetch`. */
  readonly overFetch: boolean
  /** Where a bare client asks when its user names no other place; `undefined` where there is no such place. */
  readonly origin: string | undefined
}

/** Every provider that is known. */
export const providers: readonly Provider[] = [
  { name: 'openai', title: 'OpenAI', endpoints: openaiEndpoints, overFetch: true, origin: 'https://api.openai.com/v1' },
  { name: 'anthropic', title: 'Anthropic', endpoints: anthropicEndpoints, overFetch: true, origin: 'https://api.anthropic.com' },
  { name: 'aws-bedrock', title: 'AWS Bedrock', endpoints: bedrockEndpoints, overFetch: false, origin: undefined },
]

/** The provider of that name, or `undefined`. */
export function providerNamed(name: string): Provider | undefined {
  return providers.find((each) => each.name === name)
}

/** The longest path first, as the path of one endpoint may end like another's. */
const overFetch = providers
  .filter((provider) => provider.overFetch)
  .flatMap(({ endpoints }) => endpoints)
  .toSorted((first, second) => second.path.length - first.path.length)

/** The endpoint that a URL's path ends in, or `undefined` when no provider has such a one over `fetch`. */
export function endpointOfPath(path: string): Endpoint | undefined {
  return overFetch.find((each) => path.endsWith(each.path))
}
