/**
 * What a wrapped client of openai 7 and later can besides: options that name the format of a response.
 */
import { type CacheInfo, withCache } from 'llmemo'
import type { OpenAI } from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import type { ResponseStream } from 'openai/lib/responses/ResponseStream'
import { z } from 'zod'

declare const bare: OpenAI
declare function facts(of: CacheInfo): void
declare function stream(of: ResponseStream<{ city: string }>): void

const { responses, embeddings } = withCache(bare)
const question = { model: 'gpt-5-mini', input: 'Hello' }
const parseAs = zodTextFormat(z.object({ city: z.string() }), 'city')

export async function formats(): Promise<void> {
  const parsed = await responses.parse(question, { parseAs, cache: { ttl: '1h' } })
  facts(parsed._cache)
  parsed.output_parsed satisfies { city: string } | null
  // @ts-expect-error: the format has no such member
  void parsed.output_parsed?.town
  const unparsed = await responses.parse(question, { parseAs: null, bypassCache: true })
  facts(unparsed._cache)
  unparsed.output_parsed satisfies null
  stream(responses.stream(question, { parseAs, cache: { ttl: '1h' } }))
}

export async function encodings(): Promise<void> {
  const coded = await embeddings.create({ model: 'm', input: 'i', encoding_format: 'base64' }, { bypassCache: true })
  facts(coded._cache)
  coded.data[0]?.embedding satisfies string | undefined
}
