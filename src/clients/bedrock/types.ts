/**
 * The types of a wrapped Bedrock Runtime client. How they do without its SDK is said in wrapped-types.ts.
 * @module
 */
/* oxlint-disable typescript/consistent-type-imports */
import type { CacheRequestOptions } from '../../call.ts'
import type { Resolved, WithInfo } from '../sdk-types.ts'

/** @ts-ignore */
type BedrockRuntimeClient = import('@aws-sdk/client-bedrock-runtime').BedrockRuntimeClient
/** @ts-ignore */
type BedrockRuntime = import('@aws-sdk/client-bedrock-runtime').BedrockRuntime
/** @ts-ignore */
type Converse = import('@aws-sdk/client-bedrock-runtime').ConverseCommand
/** @ts-ignore */
type ConverseStream = import('@aws-sdk/client-bedrock-runtime').ConverseStreamCommand
/** @ts-ignore */
type InvokeModel = import('@aws-sdk/client-bedrock-runtime').InvokeModelCommand
/** @ts-ignore */
type InvokeModelStream = import('@aws-sdk/client-bedrock-runtime').InvokeModelWithResponseStreamCommand

/** The commands that are cached. */
type Command = Converse | ConverseStream | InvokeModel | InvokeModelStream

type InputOf<Sent> = Sent extends { readonly input: infer Input } ? Input : never

/** What a command is answered with, as its own handler gives it. */
type OutputOf<Sent> = Sent extends { resolveMiddleware(...given: never): (...given: never) => Promise<{ output: infer Output }> }
  ? WithInfo<Output>
  : never

/** What `send` takes at its last overload: command, options and callback. */
type Sendable = Parameters<BedrockRuntimeClient['send']>

/** The bare options are named as well: the compiler would else prefer the SDK's own overload for a variable of just this type. */
type With<Options> = Options | (Options & CacheRequestOptions)
type Options = With<Sendable[1]>
type MethodOptions = With<Parameters<BedrockRuntime['converse']>[1]>

/** A callback gets its error in the SDK's own type. */
type Callback<Sent> = (error: Parameters<Sendable[2]>[0], output?: OutputOf<Sent>) => void

type Send = {
  <Sent extends Command>(command: Sent, callback: Callback<Sent>): void
  <Sent extends Command>(command: Sent, options?: Options): Promise<OutputOf<Sent>>
  <Sent extends Command>(command: Sent, options: Options, callback: Callback<Sent>): void
}

/** The callback comes first: where it is tried after the options, the compiler has already taken its parameters for `any`. */
type Call<Sent> = {
  (input: InputOf<Sent>, callback: Callback<Sent>): void
  (input: InputOf<Sent>, options?: MethodOptions): Promise<OutputOf<Sent>>
  (input: InputOf<Sent>, options: MethodOptions, callback: Callback<Sent>): void
}

/** The methods of the client that has one for each command. */
type Methods = {
  converse: Call<Converse>
  converseStream: Call<ConverseStream>
  invokeModel: Call<InvokeModel>
  invokeModelWithResponseStream: Call<InvokeModelStream>
}

/** `send` and the methods once more at their ends, as the compiler's complaint about a slip is about the last overload. */
type LastSend = <Sent extends Command>(command: Sent, options: Options) => Promise<OutputOf<Sent>>
type LastCall<Sent> = (input: InputOf<Sent>, options: MethodOptions) => Promise<OutputOf<Sent>>
type LastMethods = {
  converse: LastCall<Converse>
  converseStream: LastCall<ConverseStream>
  invokeModel: LastCall<InvokeModel>
  invokeModelWithResponseStream: LastCall<InvokeModelStream>
}

/** `Then`, if the client has one method for each command. */
type If<Client, Then> = Client extends Resolved<BedrockRuntime> ? Then : unknown

/** Every Bedrock Runtime client; nothing where its SDK is not installed. */
export type AnyBedrock = Resolved<BedrockRuntimeClient>

/**
 * A wrapped Bedrock Runtime client: with the commands that are cached, `send` takes `cache` and `bypassCache` beside the SDK's own options,
 * and their outputs have `_cache`. Whatever else it can is as it was.
 */
export type CachedBedrock<Client> = { send: Send } & If<Client, Methods> & Client & { send: LastSend } & If<Client, LastMethods>
