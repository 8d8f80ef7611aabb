/**
 * What we use of a Bedrock Runtime client, and what its configuration tells.
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
  /** Each middleware as its name and its step: `loggerMiddleware - initialize`. */
  identify?(): readonly string[]
  add(middleware: Middleware, options: { readonly step: 'initialize'; readonly priority: 'low'; readonly name: string }): void
}

/** What the initialize step is given. */
export interface Step {
  readonly input: JsonObject
}

/** What it gives. */
export interface Result {
  readonly output: JsonObject
}

/** The rest of the stack. */
export type Next = (step: Step) => Promise<Result>
/** One part of the initialize step. */
export type Middleware = (next: Next, context: { readonly commandName?: string }) => Next

/** Whether `client` is a Bedrock Runtime client, by its codec and by the service that its configuration names. */
export function isBedrock(client: object): client is BedrockClient {
  return isClientOf('aws-bedrock', client)
}

/** Where the answers come from: an endpoint that was set, else the region. Either is part of the key. */
export interface Origin {
  /** As it was found before. */
  known: string | undefined
  /**
   * Finds it. `undefined` where the client cannot info, as its region is nowhere configured: the call goes on to the SDK, whose error says
   * what to do.
   */
  find(): Promise<string | undefined>
}

/** Where the answers to a client of this configuration come from. */
export function originOf(config: object): Origin {
  const told = async (name: string): Promise<unknown> => {
    const value: unknown = Reflect.get(config, name)
    return typeof value === 'function' ? Reflect.apply(value, config, []) : value
  }
  const origin: Origin = {
    known: undefined,
    async find() {
      try {
        origin.known ??=
          Reflect.get(config, 'isCustomEndpoint') === true
            ? addressOf(await told('endpoint'))
            : `bedrock-runtime.${String(await told('region'))}`
        return origin.known
      } catch {
        return undefined
      }
    },
  }
  return origin
}

/** What the client's request handler says that it speaks. */
export function protocolOf(config: object): unknown {
  const handler: unknown = Reflect.get(config, 'requestHandler')
  const metadata: unknown = isJsonObject(handler) ? handler['metadata'] : undefined
  return isJsonObject(metadata) ? metadata['handlerProtocol'] : undefined
}

function addressOf(endpoint: unknown): string {
  return isJsonObject(endpoint) ? JSON.stringify([endpoint['protocol'], endpoint['hostname'], endpoint['port'], endpoint['path']]) : ''
}
