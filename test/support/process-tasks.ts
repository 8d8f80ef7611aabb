/**
 * Programs of their own for the tests: `node process-tasks.ts <task> <argument>…`, or the same as a worker thread.
 * `call <url> <file>` makes one call through a wrapped client and does nothing to end. `caches <number>` makes caches and forgets them.
 * `hung <what>` waits for something of a cache over a store that never answers.
 * `ask <file> <name>` asks the same hundred questions as others do, and tells what it was answered.
 * @module
 */
import { memoryStore } from '../../src/stores/memory-store.ts'
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import OpenAI from 'openai'
import { LlmemoCache } from '../../src/adapters/langchain/langchain.ts'
import { createCache, withCache } from '../../src/index.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import { answer, callerOf } from './chat.ts'

const given: readonly unknown[] = Array.isArray(workerData) ? workerData : process.argv.slice(2)
const [task, first = '', second = ''] = given.map(String)

/** The memory that is in use, and the listeners on the process. */
function standing(): { bytes: number; listeners: number } {
  globalThis.gc?.()
  const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0)
  return { bytes: process.memoryUsage().heapUsed, listeners }
}

if (task === 'call') {
  const cache = createCache({ store: sqliteStore(second) })
  const client = withCache(new OpenAI({ apiKey: 'sk-test', baseURL: first }), cache)
  const made = await client.chat.completions.create({ model: 'gpt-5-mini', messages: [{ role: 'user', content: 'hello' }] })
  writeSync(1, `${made.choices[0]?.message.content}\n`)
}

if (task === 'caches') {
  const warnings: string[] = []
  process.on('warning', ({ name }) => warnings.push(name))
  const question = { endpoint: 'chat.completions', body: { model: 'm', messages: [] } }
  const make = async (count: number) => {
    for (let index = 0; index < count; index++) {
      const cache = createCache({ store: memoryStore(), prices: false, logger: false })
      cache.on('hit', () => {})
      cache.on('error', () => {})
      await cache.store(question, answer('x'.repeat(10_000)))
      await cache.lookup(question)
      await cache.flush()
    }
  }
  await make(50)
  const before = standing()
  await make(Number(first))
  const after = standing()
  writeSync(1, JSON.stringify({ warnings, grown: after.bytes - before.bytes, listeners: after.listeners - before.listeners }))
}

if (task === 'hung') {
  // Nothing in this program keeps it alive but what it waits for.
  const [get, set, remove] = Array.from({ length: 3 }, () => () => new Promise<never>(() => {}))
  const cache = createCache({ store: Object({ name: 'hung', get, set, delete: remove }), logger: false, prices: false })
  const waits: Record<string, () => Promise<unknown>> = {
    ask: () => callerOf(cache).ask('hello'),
    get: () => cache.get('key'),
    wrap: () => cache.wrap('key', '1h', () => 1),
    set: () => cache.set('key', 1, '1h'),
    invalidate: () => cache.invalidate({ tags: ['a'] }),
    lookup: async () => {
      const models = new LlmemoCache(cache, { wait: '1s' })
      await models.lookup('prompt', 'model')
      return models.lookup('prompt', 'model')
    },
    flush: () => cache.store({ endpoint: 'chat.completions', body: { model: 'm', messages: [] } }, answer()).then(() => cache.flush()),
  }
  await waits[first]?.()
  writeSync(1, 'done')
}

if (task === 'ask') {
  const cache = createCache({ store: sqliteStore(first, { busyTimeout: 20_000 }), readDeadline: '1h', prices: false, logger: false })
  const caller = callerOf(cache)
  const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => caller.ask(`question ${index}`)))
  await cache.close()
  // A thread's port has no origin to name.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage({ name: second, answers, asked: caller.asked.length })
}
