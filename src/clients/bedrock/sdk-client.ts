/**
 * What we use of a Bedrock Runtime client, and what we read from its configuration.
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'
import { isClientOf } from '../../providers/catalogue.ts'

/** What we use of a Bedrock Runtime client. */
export interface BedrockClient {
  readonly config: object
  readonly middlewareStack: MiddlewareStack
  send(command: unknown, optionsOrCallback?: unknown, callback?: unknown): unknown
}

/** The steps that a call runs through. */
export interface MiddlewareStack {
  clone(): MiddlewareStack
  /** Each middleware by its name and its step: `loggerMiddleware - initialize`. */
  identify?(): readonly string[]
  add(middleware: Middleware, options: { readonly step: 'initialize'; readonly priority: 'low'; readonly name: string }): void
}

/** The argument of the initialize step. */
export interface Step {
  readonly input: JsonObject
}

/** The result of the initialize step. */
export interface Result {
  readonly output: JsonObject
}

/** The rest of the stack. */
export type Next = (step: Step) => Promise<Result>
/** One part of the initialize step. */
export type Middleware = (next: Next, context: { readonly commandName?: string }) => Next

/** Whether `client` is a Bedrock Runtime client. */
export function isBedrock(client: object): client is BedrockClient {
  return isClientOf('aws-bedrock', client)
}

/** Where a client's answers come from: the endpoint that was set, else the region. It is part of the key. */
export interface Origin {
  /** The origin, once it was found. */
  current: string | undefined
  /**
   * Finds the origin. It is `undefined` if the client has no region: the call then goes on to the SDK, whose error says what to do.
   */
  find(): Promise<string | undefined>
}

/** The origin of a client with this configuration. */
export function originOf(config: object): Origin {
  const configured = async (name: string): Promise<unknown> => {
    const value: unknown = Reflect.get(config, name)
    return typeof value === 'function' ? Reflect.apply(value, config, []) : value
  }
  const origin: Origin = {
    current: undefined,
    async find() {
      try {
        origin.current ??=
          Reflect.get(config, 'isCustomEndpoint') === true
            ? addressOf(await configured('endpoint'))
            : `bedrock-runtime.${String(await configured('region'))}`
        return origin.current
      } catch {
        return undefined
      }
    },
  }
  return origin
}

/** The protocol that the client's request handler names. */
export function protocolOf(config: object): unknown {
  const handler: unknown = Reflect.get(config, 'requestHandler')
  const metadata: unknown = isJsonObject(handler) ? handler['metadata'] : undefined
  return isJsonObject(metadata) ? metadata['handlerProtocol'] : undefined
}

function addressOf(endpoint: unknown): string {
  return isJsonObject(endpoint) ? JSON.stringify([endpoint['protocol'], endpoint['hostname'], endpoint['port'], endpoint['path']]) : ''
}
