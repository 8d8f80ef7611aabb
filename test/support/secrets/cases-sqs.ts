/**
 * Cases of the store behind a queue: wrong options, a queue that fails as the SDK does, messages that are damaged.
 * @module
 */
import { memoryStore } from '../../../src/stores/memory-store.ts'
import { applyQueuedChanges, queueStore } from '../../../src/stores/sqs/store.ts'
import { answer, question } from '../chat.ts'
import type { Cases, SecretCase } from './issuer.ts'
import { secret } from './marker.ts'
import { mistaken } from './mistaken.ts'

const prompt = secret('prompt')
const password = secret('password')
const queueUrl = `https://sqs.eu-west-1.amazonaws.com/1/changes?token=${secret('token')}`
const refusedBy = (name: string, action: () => unknown): SecretCase => ({ name, run: (issuer) => issuer.refused(action) })

/** As the SDK rejects: with a message that quotes what was sent. */
const failing = {
  sendMessage: async (message: object): Promise<never> => {
    throw Object.assign(new Error(`${password} ${JSON.stringify(message)}`), { name: 'AccessDenied', $response: { body: prompt } })
  },
}

export const sqsCases: Cases = {
  'src/stores/sqs/store.ts': [
    refusedBy('no URL', () => queueStore(memoryStore(), { client: failing, queueUrl: password })),
    refusedBy('no client', () => queueStore(memoryStore(), { client: mistaken({ credentials: password }), queueUrl })),
  ],
  'src/stores/sqs/sender.ts': [
    {
      name: 'a queue that refuses',
      async run(issuer) {
        const cache = issuer.cache({ store: queueStore(memoryStore(), { client: failing, queueUrl }), maxMemoryBytes: 0 })
        await issuer.outcome(() => cache.store(question(prompt), answer(secret('answer'))))
        await cache.flush()
        await issuer.outcome(() => cache.invalidate({ all: true }))
        await issuer.outcome(() => cache.del(secret('key')))
      },
    },
  ],
  'src/stores/sqs/message.ts': [
    refusedBy('a message that is damaged', () =>
      applyQueuedChanges(memoryStore(), { llmemo: 'store@1', writer: prompt, changes: [prompt] }),
    ),
  ],
}
