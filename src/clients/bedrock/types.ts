/**
 * The types of a wrapped Bedrock Runtime client. How they work without its SDK is explained in sdk-types.ts.
 * @module
 */
/* oxlint-disable typescript/consistent-type-imports */
import type { CacheRequestOptions } from '../../call.ts'
import type { Facts, MaybeFacts, Resolved, WithInfo } from '../sdk-types.ts'

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

/** The output of a command, as its own handler returns it. */
type OutputOf<Sent, Added extends MaybeFacts> = Sent extends {
  resolveMiddleware(...given: never): (...given: never) => Promise<{ output: infer Output }>
}
  ? WithInfo<Output, Added>
  : never

/** The parameters of the last overload of `send`: command, options and callback. */
type Sendable = Parameters<BedrockRuntimeClient['send']>

/** Names the bare options as well: else the compiler prefers the SDK's own overload for a variable of exactly this type. */
type With<Options> = Options | (Options & CacheRequestOptions)
type Options = With<Sendable[1]>
type MethodOptions = With<Parameters<BedrockRuntime['converse']>[1]>

/** The callback of a call. Its error has the SDK's own type. */
type Callback<Sent, Added extends MaybeFacts> = (error: Parameters<Sendable[2]>[0], output?: OutputOf<Sent, Added>) => void

type Send<Added extends MaybeFacts> = {
  <Sent extends Command>(command: Sent, callback: Callback<Sent, Added>): void
  <Sent extends Command>(command: Sent, options?: Options): Promise<OutputOf<Sent, Added>>
  <Sent extends Command>(command: Sent, options: Options, callback: Callback<Sent, Added>): void
}

/** The overload with a callback comes first. If the compiler tries it after the options, it has already taken its parameters for `any`. */
type Call<Sent, Added extends MaybeFacts> = {
  (input: InputOf<Sent>, callback: Callback<Sent, Added>): void
  (input: InputOf<Sent>, options?: MethodOptions): Promise<OutputOf<Sent, Added>>
  (input: InputOf<Sent>, options: MethodOptions, callback: Callback<Sent, Added>): void
}

/** The methods of the client that has one for each command. */
type Methods<Added extends MaybeFacts> = {
  converse: Call<Converse, Added>
  converseStream: Call<ConverseStream, Added>
  invokeModel: Call<InvokeModel, Added>
  invokeModelWithResponseStream: Call<InvokeModelStream, Added>
}

/** `send` and the methods once more, at the end: the compiler's error for a wrong call is about the last overload. */
type LastSend<Added extends MaybeFacts> = <Sent extends Command>(command: Sent, options: Options) => Promise<OutputOf<Sent, Added>>
type LastCall<Sent, Added extends MaybeFacts> = (input: InputOf<Sent>, options: MethodOptions) => Promise<OutputOf<Sent, Added>>
type LastMethods<Added extends MaybeFacts> = {
  converse: LastCall<Converse, Added>
  converseStream: LastCall<ConverseStream, Added>
  invokeModel: LastCall<InvokeModel, Added>
  invokeModelWithResponseStream: LastCall<InvokeModelStream, Added>
}

/** `Then`, if the client has one method for each command. */
type If<Client, Then> = Client extends Resolved<BedrockRuntime> ? Then : unknown

/** Every Bedrock Runtime client; `never` if its SDK is not installed. */
export type AnyBedrock = Resolved<BedrockRuntimeClient>

/**
 * A wrapped Bedrock Runtime client: with the commands that are cached, `send` takes `cache` and `bypassCache` beside the SDK's own options,
 * and their outputs have `_cache`. All else is as on the bare client.
 */
export type CachedBedrock<Client, Added extends MaybeFacts = Facts> = { send: Send<Added> } & If<Client, Methods<Added>> &
  Client & { send: LastSend<Added> } & If<Client, LastMethods<Added>>
