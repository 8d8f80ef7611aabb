/**
 * The clients of the three SDKs as readers of streams, each over a provider that has the whole stream in memory.
 * @module
 */
import Anthropic from '@anthropic-ai/sdk'
import { ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import OpenAI from 'openai'
import { withCache } from '../../dist/index.mjs'
import { messagesInput } from './anthropic.ts'
import { converseInput, instantBedrockStream } from './bedrock.ts'
import { originOf } from './origin.ts'
import { asked, chatEvents, converseEvents, messageEvents, type Question } from './payload.ts'

/** Reads a stream to its end, calls `first` at the first event, and returns the text. */
export type Read = (one: Question, first: () => void) => Promise<string>

/** A client that streams, and how often its provider was asked. */
export interface Streaming {
  readonly read: Read
  readonly calls: () => number
}

/** One SDK. */
export interface SdkStreams {
  readonly name: 'OpenAI' | 'Anthropic' | 'Bedrock'
  /** A client whose provider answers with a text of `length` characters. */
  open(length: number, isCached: boolean): Streaming
}

const openai: SdkStreams = {
  name: 'OpenAI',
  open(length, isCached) {
    const { fetch, calls } = originOf({ whole: '{}', events: chatEvents(length) })
    const own = new OpenAI({ apiKey: 'sk-bench', fetch })
    const client = isCached ? withCache(own) : own
    return {
      calls,
      async read(one, first) {
        const stream = await client.chat.completions.create({ ...asked(one), stream: true })
        let text = ''
        for await (const chunk of stream) {
          if (text === '') first()
          text += chunk.choices[0]?.delta.content ?? ''
        }
        return text
      },
    }
  },
}

const anthropic: SdkStreams = {
  name: 'Anthropic',
  open(length, isCached) {
    const { fetch, calls } = originOf({ whole: '{}', events: messageEvents(length) })
    const own = new Anthropic({ apiKey: 'sk-bench', fetch })
    const client = isCached ? withCache(own) : own
    return {
      calls,
      async read(one, first) {
        const stream = await client.messages.create({ ...messagesInput(one), stream: true })
        let text = ''
        for await (const event of stream) {
          if (text === '') first()
          if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') text += event.delta.text
        }
        return text
      },
    }
  },
}

const bedrock: SdkStreams = {
  name: 'Bedrock',
  open(length, isCached) {
    const { client: own, calls } = instantBedrockStream(converseEvents(length))
    const client = isCached ? withCache(own) : own
    return {
      calls,
      async read(one, first) {
        const { stream = [] } = await client.send(new ConverseStreamCommand(converseInput(one)))
        let text = ''
        for await (const event of stream) {
          if (text === '') first()
          text += event.contentBlockDelta?.delta?.text ?? ''
        }
        return text
      },
    }
  },
}

/** The three SDKs. */
export const sdkStreams: readonly SdkStreams[] = [openai, anthropic, bedrock]
