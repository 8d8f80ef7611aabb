import { isJsonObject } from '../../../src/json/object.ts'
import { describeClient } from '../../contracts/client/index.ts'
import type { ClientUnderTest } from '../../contracts/client/under-test.ts'
import type { StreamPart } from '../../support/provider-server.ts'
import { isStreamed, message, refuse, text, textEvents } from '../../support/anthropic-answers.ts'
import { offLane, type Sdk, type SdkClient, type SdkMessages, sdks } from '../../support/anthropic-sdks.ts'

function messages({ make }: Sdk, of: (client: SdkClient) => SdkMessages): ClientUnderTest<SdkClient> {
  return {
    make,
    params: (prompt, streamed) => ({
      model: 'claude-test',
      max_tokens: 100,
      messages: [{ role: 'user', content: prompt }],
      ...(streamed && { stream: true }),
    }),
    ask: (client, params, options) => of(client).create(params, options),
    answer(request, reply, said, { pause, end = 'complete', stop } = {}) {
      const reason = stop === 'cut short' ? 'max_tokens' : 'end_turn'
      const headers = { 'request-id': 'req_1' }
      if (!isStreamed(request)) return reply.json(message([text(said)], reason), { headers })
      const [start, middle, rest] = textEvents(said, reason)
      const parts: StreamPart[] = [
        ...start,
        ...(pause === undefined ? [] : [pause]),
        ...middle,
        ...(end.startsWith('complete') ? rest : []),
      ]
      return reply.events(parts, { headers, end: end.endsWith('reset') ? 'reset' : 'clean' })
    },
    refuse,
    textOf: (result) => textIn(isJsonObject(result) && Array.isArray(result['content']) ? result['content'][0] : undefined),
    textOfEvent: (event) => textIn(isJsonObject(event) ? event['delta'] : undefined),
    operation: 'messages',
    tokens: 21,
  }
}

function textIn(block: unknown): string {
  const said: unknown = isJsonObject(block) ? block['text'] : undefined
  return typeof said === 'string' ? said : ''
}

for (const sdk of [...sdks, ...sdks.map(offLane)])
  describeClient(
    sdk.name,
    messages(sdk, (client) => client.messages),
  )
for (const sdk of sdks.slice(0, 1))
  describeClient(
    `${sdk.name}, beta`,
    messages(sdk, (client) => client.beta.messages),
  )
