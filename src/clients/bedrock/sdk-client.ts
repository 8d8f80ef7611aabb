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
  add(middleware: Middleware, options: { readonly step: 'initialize'; readonly priority: 'low'; readonly name: string }): void
  /** Adds each middleware to another stack. */
  applyToStack(stack: EntryVisitor): void
}

/** How a middleware was added to its stack: what we read of it. */
export interface EntryOptions {
  readonly name?: string
  readonly step?: string
  /** The middleware next to which it runs. */
  readonly toMiddleware?: string
}

/** What a stack calls with each of its entries. */
export interface EntryVisitor {
  readonly add: (middleware: Middleware, options: EntryOptions) => void
  readonly addRelativeTo: (middleware: Middleware, options: EntryOptions) => void
}

/** What we use of a command. */
export interface BedrockCommand {
  readonly input: JsonObject
  readonly middlewareStack: MiddlewareStack
}

/** Whether `command` is a command as the SDK makes it. */
export function isCommand(command: unknown): command is BedrockCommand {
  return isJsonObject(command) && isJsonObject(command['input']) && isStack(command['middlewareStack'])
}

function isStack(value: unknown): value is MiddlewareStack {
  return isJsonObject(value) && ['clone', 'add', 'applyToStack'].every((name) => typeof value[name] === 'function')
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
/** What the SDK notes of a call. All its middleware share the object. */
export interface ExecutionContext {
  readonly commandName?: string
  /** The endpoint, once the SDK has resolved it. */
  readonly endpointV2?: unknown
}

/** One part of the initialize step. */
export type Middleware = (next: Next, context: ExecutionContext) => Next

/** Whether `client` is a Bedrock Runtime client. */
export function isBedrock(client: object): client is BedrockClient {
  return isClientOf('aws-bedrock', client)
}

/** The protocol that the client's request handler names. */
export function protocolOf(config: object): unknown {
  const handler: unknown = Reflect.get(config, 'requestHandler')
  const metadata: unknown = isJsonObject(handler) ? handler['metadata'] : undefined
  return isJsonObject(metadata) ? metadata['handlerProtocol'] : undefined
}
