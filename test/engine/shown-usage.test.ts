import { ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache } from '../../src/cache/cache.ts'
import { cacheInfo } from '../../src/clients/cache-info.ts'
import { withCache } from '../../src/clients/with-cache.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { isJsonObject } from '../../src/json/object.ts'
import { openaiChat } from '../../src/providers/openai/chat.ts'
import { converseAnswer, makeBedrock } from '../support/bedrock-sdk.ts'
import { startBedrock } from '../support/bedrock-server.ts'
import { completion } from '../support/openai-answers.ts'
import { offLane, sdks } from '../support/openai-sdks.ts'
import { isStream } from '../support/outcome.ts'
import { type ProviderServer, startProvider } from '../support/provider-server.ts'

const prices = [{ model: 'gpt-test-1', input: 1_000_000, output: 2_000_000 }]
const spent = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 }
const call = { name: 'count', arguments: '{"usage":{"tokens":7}}' }

describe.each([...sdks, ...sdks.map(offLane)])('the usage of a hit through $name', ({ make }) => {
  let server: ProviderServer
  beforeEach(async () => {
    server = await startProvider(({ body }, reply) => {
      const asked = isJsonObject(body) ? body : {}
      const whole = completion('Hello.', call)
      return asked['stream'] === true ? reply.events(openaiChat.streaming?.disassemble(whole, asked) ?? []) : reply.json(whole)
    })
  })
  afterEach(() => server.close())

  const cases: [CacheOptions, unknown][] = [
    [{}, spent],
    [{ usage: 'keep' }, spent],
    [{ usage: 'zero' }, { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }],
    [{ usage: 'mark' }, { ...spent, cached_by: 'llmemo' }],
  ]

  it.each(cases.flatMap(([options, shown]) => [false, true].map((stream) => ({ options, shown, stream }))))(
    'is $shown with $options, streamed: $stream, and nothing else is changed',
    async ({ options, shown, stream }) => {
      const cache = createCache({ logger: false, prices, ...options })
      const client = withCache(make({ url: server.url }), cache)
      const ask = async (): Promise<unknown[]> => {
        const more = stream ? { stream: true, stream_options: { include_usage: true } } : {}
        const answer = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...more })
        const parts = isStream(answer) ? await Array.fromAsync(answer) : [answer]
        const info = cacheInfo(answer)
        return [info?.hit, info?.savedUsd, ...parts]
      }
      const [, , ...first] = await ask()
      for (let time = 0; time < 2; time++) {
        const [hit, savedUsd, ...second] = await ask()
        expect([hit, savedUsd]).toEqual([true, 33])
        const expected = first.map((part) =>
          isJsonObject(part) && isJsonObject(part['usage']) ? Object.assign(structuredClone(part), { usage: shown }) : part,
        )
        expect(JSON.parse(JSON.stringify(second))).toEqual(JSON.parse(JSON.stringify(expected)))
      }
      expect(JSON.stringify(first)).toContain('prompt_tokens')
      expect(cache.stats()).toMatchObject({ savedTokens: 42, savedUsd: 66 })
    },
  )
})

it('the usage of a hit of Bedrock is zeroed too', async () => {
  const server = await startBedrock('http1', (_, reply) => reply.json(converseAnswer('Hello.')))
  const client = withCache(makeBedrock('http1', server), { logger: false, usage: 'zero' })
  const ask = () => client.send(new ConverseCommand({ modelId: 'm', messages: [{ role: 'user', content: [{ text: 'Hi' }] }] }))
  expect((await ask()).usage?.inputTokens).toBeGreaterThan(0)
  const { usage, output } = await ask()
  expect(Object.values({ ...usage })).toEqual(Object.values({ ...usage }).map(() => 0))
  expect(usage?.inputTokens).toBe(0)
  expect(output?.message?.content).toEqual([{ text: 'Hello.' }])
  await server.close()
})

it('a usage that is none of the three is refused at once', () => {
  const wrong: object[] = [{ usage: 'none' }, { usage: null }, { usage: 0 }]
  for (const options of wrong) expect(() => createCache(options)).toThrow(InvalidOptionError)
})
