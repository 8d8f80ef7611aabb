/**
 * The wire between a DynamoDB client and its server: a test sees each request, lets it through, answers it itself, or never.
 * @module
 */
import { NodeHttpHandler } from '@smithy/node-http-handler'

/** A request as it is about to be sent. */
export interface WireRequest {
  /** `GetItem`. */
  readonly operation: string
  readonly body: Record<string, unknown>
}

/** An answer of the test's own. */
export interface WireAnswer {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** What to do with a request: `pass` sends it, with another body if one is given; `never` waits until it is aborted. */
export type WireScript = (
  request: WireRequest,
  pass: (body?: Record<string, unknown>) => Promise<WireAnswer>,
) => Promise<WireAnswer> | WireAnswer | 'never'

type HttpRequest = Parameters<NodeHttpHandler['handle']>[0]
type HandlerOptions = Parameters<NodeHttpHandler['handle']>[1]

/** A request handler for a client's configuration, which does what `script` says. */
export class Wire {
  /** Every request, attempts one by one. */
  readonly requests: WireRequest[] = []
  /** Requests that were never answered, and were given up by the client. */
  aborted = 0
  script: WireScript = (_, pass) => pass()
  readonly #http = new NodeHttpHandler()
  #waiting: { readonly reached: () => boolean; readonly resolve: () => void }[] = []

  /** How many requests there were of this operation, or of all. */
  count(operation?: string): number {
    return this.requests.filter((each) => operation === undefined || each.operation === operation).length
  }

  /** Resolves as soon as it is so; looked at whenever a request comes or is given up. */
  until(reached: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ reached, resolve })
      this.#changed()
    })
  }

  #changed(): void {
    const now = this.#waiting.filter(({ reached }) => reached())
    this.#waiting = this.#waiting.filter((each) => !now.includes(each))
    for (const { resolve } of now) resolve()
  }

  readonly handler = {
    metadata: this.#http.metadata,
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
    destroy: () => this.#http.destroy(),
    handle: (request: HttpRequest, options?: HandlerOptions) => this.#handle(request, options),
  }

  async #handle(request: HttpRequest, options?: HandlerOptions): ReturnType<NodeHttpHandler['handle']> {
    // As a real handler does, which sends nothing then.
    if (options?.abortSignal?.aborted === true) throw abortError()
    const seen: WireRequest = { operation: request.headers['x-amz-target']?.split('.')[1] ?? '', body: parsed(request.body) }
    this.requests.push(seen)
    this.#changed()
    const pass = async (body: Record<string, unknown> = seen.body): Promise<WireAnswer> => {
      const text = JSON.stringify(body)
      // A signature is not checked by an emulator, the length by the HTTP parser.
      const headers = { ...request.headers, 'content-length': String(Buffer.byteLength(text)) }
      const { response } = await this.#http.handle(Object.assign(request, { body: text, headers }), options)
      const chunks: Buffer[] = []
      for await (const chunk of response.body) if (chunk instanceof Buffer) chunks.push(chunk)
      return { status: response.statusCode, body: parsed(Buffer.concat(chunks).toString()) }
    }
    const answer = this.script(seen, pass)
    const { status, body } = answer === 'never' ? await this.#untilAborted(options) : await answer
    const bytes = Buffer.from(JSON.stringify(body))
    const stream = new Blob([bytes]).stream()
    return { response: { statusCode: status, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: stream } }
  }

  #untilAborted(options: HandlerOptions): Promise<never> {
    return new Promise((_, reject) => {
      const signal = options?.abortSignal
      const stop = (): void => {
        this.aborted += 1
        this.#changed()
        reject(abortError())
      }
      if (signal !== undefined && 'addEventListener' in signal) signal.addEventListener('abort', stop)
    })
  }
}

function abortError(): Error {
  return Object.assign(new Error('Request aborted'), { name: 'AbortError' })
}

/** An error as DynamoDB answers it. */
export function refusal(name: string, message: string = name, status = 400): WireAnswer {
  return { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message } }
}

function parsed(text: unknown): Record<string, unknown> {
  const value: unknown = JSON.parse(String(text))
  return { ...Object(value) }
}
