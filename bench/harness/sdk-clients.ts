/**
 * The clients of the three SDKs in one shape, each over a provider that answers at once from memory.
 * @module
 */
import Anthropic from '@anthropic-ai/sdk'
import { ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import OpenAI from 'openai'
import { type Cache, withCache } from '../../dist/index.mjs'
import { messagesInput } from './anthropic.ts'
import { converseInput, instantBedrock } from './bedrock.ts'
import { originOf } from './origin.ts'
import { asked, chatAnswer, converseAnswer, messageAnswer, type Question } from './payload.ts'

/** The part of a client that stands between the call and the provider, if any: the client's own options for `fetch`, or middleware. */
export type Between = 'nothing' | 'fetch options' | 'middleware'

/** A client that is asked. */
export interface Asking {
  /** Asks, with a request made for this call. */
  ask(one: Question): Promise<unknown>
  /** How often the provider was asked. */
  readonly calls: () => number
}

/** A client behind llmemo. */
export interface CachedAsking extends Asking {
  /** Asks with `{ bypassCache: true }`. */
  bypass(one: Question): Promise<unknown>
  /** Where the answer to this question comes from: `memory`. */
  source(one: Question): Promise<string>
}

/** One SDK. */
export interface SdkClient {
  readonly name: 'OpenAI' | 'Anthropic' | 'Bedrock'
  /** An answer of about `size` bytes as JSON, and the text in it. */
  answer(size: number): { readonly whole: string; readonly text: string }
  /** The request for a question, in objects of its own. */
  request(one: Question): object
  /** What its user can put between the call and the provider. */
  readonly between: readonly Between[]
  bare(whole: string, between?: Between): Asking
  cached(whole: string, between?: Between, cache?: Cache): CachedAsking
}

const fetchOptions = { redirect: 'follow' } as const

const openai: SdkClient = {
  name: 'OpenAI',
  answer(size) {
    const answer = chatAnswer(size)
    return { whole: JSON.stringify(answer), text: answer.choices[0]?.message.content ?? '' }
  },
  request: asked,
  between: ['fetch options'],
  bare(whole, between) {
    const { client, calls } = openOpenai(whole, between)
    return { ask: (one) => client.chat.completions.create(asked(one)), calls }
  },
  cached(whole, between, cache) {
    const { client: own, calls } = openOpenai(whole, between)
    const client = withCache(own, cache)
    return {
      ask: (one) => client.chat.completions.create(asked(one)),
      bypass: (one) => client.chat.completions.create(asked(one), { bypassCache: true }),
      source: async (one) => (await client.chat.completions.create(asked(one)))._cache.source,
      calls,
    }
  },
}

function openOpenai(whole: string, between: Between = 'nothing') {
  const { fetch, calls } = originOf({ whole })
  return { client: new OpenAI({ apiKey: 'sk-bench', fetch, ...(between === 'fetch options' && { fetchOptions }) }), calls }
}

const anthropic: SdkClient = {
  name: 'Anthropic',
  answer(size) {
    const answer = messageAnswer(size)
    return { whole: JSON.stringify(answer), text: answer.content[0]?.text ?? '' }
  },
  request: messagesInput,
  between: ['fetch options', 'middleware'],
  bare(whole, between) {
    const { client, calls } = openAnthropic(whole, between)
    return { ask: (one) => client.messages.create(messagesInput(one)), calls }
  },
  cached(whole, between, cache) {
    const { client: own, calls } = openAnthropic(whole, between)
    const client = withCache(own, cache)
    return {
      ask: (one) => client.messages.create(messagesInput(one)),
      bypass: (one) => client.messages.create(messagesInput(one), { bypassCache: true }),
      source: async (one) => (await client.messages.create(messagesInput(one)))._cache.source,
      calls,
    }
  },
}

function openAnthropic(whole: string, between: Between = 'nothing') {
  const { fetch, calls } = originOf({ whole })
  const client = new Anthropic({
    apiKey: 'sk-bench',
    fetch,
    ...(between === 'fetch options' && { fetchOptions }),
    ...(between === 'middleware' && { middleware: [async (request, next) => next(request)] }),
  })
  return { client, calls }
}

const bedrock: SdkClient = {
  name: 'Bedrock',
  answer(size) {
    const answer = converseAnswer(size)
    return { whole: JSON.stringify(answer), text: answer.output.message.content[0]?.text ?? '' }
  },
  request: converseInput,
  between: ['middleware'],
  bare(whole, between) {
    const { client, calls } = openBedrock(whole, between)
    return { ask: (one) => client.send(new ConverseCommand(converseInput(one))), calls }
  },
  cached(whole, between, cache) {
    const { client: own, calls } = openBedrock(whole, between)
    const client = withCache(own, cache)
    return {
      ask: (one) => client.send(new ConverseCommand(converseInput(one))),
      bypass: (one) => client.send(new ConverseCommand(converseInput(one)), { bypassCache: true }),
      source: async (one) => (await client.send(new ConverseCommand(converseInput(one))))._cache.source,
      calls,
    }
  },
}

function openBedrock(whole: string, between: Between = 'nothing') {
  const { client, calls } = instantBedrock(whole)
  if (between === 'middleware') client.middlewareStack.add((next) => async (call) => next(call), { step: 'initialize', name: 'bench' })
  return { client, calls }
}

/** The three SDKs. */
export const sdkClients: readonly SdkClient[] = [openai, anthropic, bedrock]
