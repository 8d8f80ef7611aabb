/**
 * What the contract of clients needs of each SDK.
 * @module
 */
import type { ProviderReply, ProviderRequest, startProvider } from '../../support/provider-server.ts'

/** How the provider answers a call. */
export interface AnswerOptions {
  /** The server waits for it in the middle of a stream: after the first event with text, before the last event. */
  readonly pause?: Promise<unknown>
  /**
   * How a stream ends: with the protocol's end mark, cleanly without it, or by a reset of the socket without it or after it.
   * @default 'complete'
   */
  readonly end?: 'complete' | 'cut' | 'reset' | 'complete then reset'
  /**
   * Why the model stopped: it had said all, or it had reached its limit of tokens.
   * @default 'said all'
   */
  readonly stop?: 'said all' | 'cut short'
}

/** A client that the contract tests. */
export interface ClientUnderTest<Client extends object> {
  /** Starts the server that plays the provider. @default an HTTP/1.1 server that streams server-sent events */
  readonly start?: typeof startProvider
  /** A bare client for the provider at `url`, which is `http://127.0.0.1:PORT/v1`. */
  readonly make: (options: { readonly url: string; readonly maxRetries: number }) => Client
  /** The parameters of a call for `prompt`. */
  readonly params: (prompt: string, streamed: boolean) => object
  /** Makes a call with request options: `cache`, `bypassCache`, `signal`. Gives the result, or the stream. */
  readonly ask: (client: Client, params: object, options: object) => PromiseLike<unknown>
  /** Answers as the provider would, whole or streamed as `request` asks, with `text` in at least three events. */
  readonly answer: (request: ProviderRequest, reply: ProviderReply, text: string, options?: AnswerOptions) => unknown
  /** Answers with an error in the provider's own form. If the SDK may retry, the error asks for it after a millisecond. */
  readonly refuse: (reply: ProviderReply, status: number) => void
  /** The text in a whole result. */
  readonly textOf: (result: unknown) => string
  /** The text in an event of a stream; `''` when there is none. */
  readonly textOfEvent: (event: unknown) => string
  /** The operation of the calls that {@link ask} makes, if the options name no other. */
  readonly operation: string
  /** The tokens of one answer, input and output, as {@link answer} reports them. */
  readonly tokens: number
}
