/**
 * A store whose changes go through a queue: the published suite over a real client of SQS, and what happens before and while changes are
 * applied.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/cache/cache.ts'
import { StoreError } from '../../../src/errors.ts'
import type { Store } from '../../../src/store.ts'
import { memoryStore } from '../../../src/stores/memory-store.ts'
import { applyQueuedChanges, type QueueMessage, queueStore } from '../../../src/stores/sqs/store.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { describeStore } from '../../contracts/store.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'
import { type SqsServer, startSqs } from '../../support/sqs-server.ts'

let server: SqsServer
beforeAll(async () => {
  server = await startSqs()
})
afterAll(() => server.close())

/** Applies everything that is in a queue. */
async function workOff(queueUrl: string, store: Store, clock: ManualClock): Promise<void> {
  for (;;) {
    const messages = await server.take(queueUrl)
    if (messages.length === 0) return
    for (const { Body: body = '' } of messages) expect(await applyQueuedChanges(store, JSON.parse(body), { clock })).toBe(true)
  }
}

let queues = 0
describeStore('A store behind a queue that is worked off before each read', async () => {
  const clock = new ManualClock()
  const queueUrl = await server.queue(`suite-${++queues}`)
  const behind = memoryStore({ clock })
  const before = async <Value>(read: () => Value | Promise<Value>): Promise<Value> => {
    await workOff(queueUrl, behind, clock)
    return read()
  }
  const inTime: Store = {
    ...behind,
    get: (key) => before(() => behind.get(key)),
    getMany: (keys) => before(async () => (await behind.getMany?.(keys)) ?? []),
    async *keys(prefix) {
      await workOff(queueUrl, behind, clock)
      yield* behind.keys?.(prefix) ?? []
    },
  }
  return { store: queueStore(inTime, { client: server.client, queueUrl, clock }), clock, cleanup: () => {} }
})

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const hour = { ttl: 3_600_000 }

/** A queue that a test delivers by hand, in any order and as often as it likes. */
function byHand(behind: Store = memoryStore({ clock: new ManualClock() })) {
  const clock = new ManualClock()
  const sent: string[] = []
  const writer = (more: { maxMessageBytes?: number } = {}): Store =>
    queueStore(behind, {
      client: { sendMessage: async ({ MessageBody: body }) => void sent.push(body) },
      queueUrl: 'https://sqs.eu-west-1.amazonaws.com/123456789012/changes',
      clock,
      ...more,
    })
  const deliver = async (...indices: number[]): Promise<void> => {
    for (const index of indices) await applyQueuedChanges(behind, JSON.parse(sent[index] ?? ''), { clock })
  }
  const textAt = async (key: string): Promise<string | undefined> => {
    const found = await behind.get(key)
    return found && new TextDecoder().decode(found)
  }
  return { behind, clock, sent, writer, deliver, textAt }
}

describe('a change that is on its way', () => {
  it('is seen by the process that made it, and by no other', async () => {
    const { behind, clock, writer } = byHand()
    await behind.set('taken', bytes('old'), hour)
    const [own, other] = [writer(), writer()]
    await own.set('key', bytes('new'), hour)
    await own.delete('taken')
    expect(await own.getMany?.(['key', 'taken'])).toEqual([bytes('new'), undefined])
    expect(await other.getMany?.(['key', 'taken'])).toEqual([undefined, bytes('old')])
    clock.advance(60_000)
    expect(await own.get('key')).toBeUndefined()
  })

  it('goes after what lies in the store, of a key whose latest value is needed', async () => {
    const { behind, writer } = byHand()
    const own = writer()
    await own.set('mark', bytes('own'), hour)
    const latest = new Set(['mark'])
    expect(await own.get('mark', { latest })).toEqual(bytes('own'))
    await behind.set('mark', bytes('of another process'), hour)
    expect(await own.get('mark', { latest })).toEqual(bytes('of another process'))
  })
})

describe('a message', () => {
  it('changes nothing when it comes again', async () => {
    const { deliver, textAt, writer } = byHand()
    const [first, second] = [writer(), writer()]
    await first.set('key', bytes('first'), hour)
    await second.set('key', bytes('second'), hour)
    await deliver(0, 1, 0)
    expect(await textAt('key')).toBe('second')
  })

  it('is left out when a later one of its writer came first', async () => {
    const { deliver, textAt, writer } = byHand()
    const own = writer()
    await own.set('key', bytes('first'), hour)
    await own.set('key', bytes('second'), hour)
    await own.delete('gone')
    await deliver(1, 0)
    expect(await textAt('key')).toBe('second')
  })

  it('cannot bring back what was removed after it was sent', async () => {
    const { clock, deliver, textAt, writer } = byHand()
    const [first, second] = [writer(), writer()]
    await first.set('key', bytes('bad'), hour)
    clock.advance(5)
    await second.delete('key')
    await deliver(1, 0)
    expect(await textAt('key')).toBeUndefined()
    // Within one millisecond, the order of the writer holds.
    await second.set('key', bytes('good'), hour)
    await deliver(2)
    expect(await textAt('key')).toBe('good')
  })

  it('that seems older than that of another writer removes the key, unless it is too large for a generation', async () => {
    const { clock, deliver, textAt, writer } = byHand()
    const [first, second] = [writer(), writer()]
    const large = 'large '.repeat(200)
    await first.setMany?.([
      { key: 'mark', value: bytes('of the first'), ...hour },
      { key: 'answer', value: bytes(`${large}first`), ...hour },
    ])
    clock.advance(5)
    await second.setMany?.([
      { key: 'mark', value: bytes('of the second'), ...hour },
      { key: 'answer', value: bytes(`${large}second`), ...hour },
    ])
    await deliver(1, 0)
    expect([await textAt('mark'), await textAt('answer')]).toEqual([undefined, `${large}second`])
    // What came again says no more than before.
    await deliver(1, 0)
    expect(await textAt('mark')).toBeUndefined()
    clock.advance(5)
    await first.set('mark', bytes('the next'), hour)
    await deliver(2)
    expect(await textAt('mark')).toBe('the next')
  })

  it('of a first value that comes after a later removal by another writer changes nothing', async () => {
    const { clock, deliver, textAt, writer } = byHand()
    const [first, second] = [writer(), writer()]
    await first.setIfAbsent?.('mark', bytes('first'), hour)
    clock.advance(5)
    await second.delete('mark')
    await deliver(1, 0)
    expect(await textAt('mark')).toBeUndefined()
  })

  it('is too late for a value whose time is over', async () => {
    const { clock, deliver, textAt, writer } = byHand()
    await writer().set('key', bytes('old'), { ttl: 1_000 })
    clock.advance(1_000)
    await deliver(0)
    expect(await textAt('key')).toBeUndefined()
  })

  it('of a first value leaves the one that is there', async () => {
    const { deliver, textAt, writer } = byHand()
    const [first, second] = [writer(), writer()]
    expect(await first.setIfAbsent?.('mark', bytes('first'), hour)).toEqual(bytes('first'))
    expect(await second.setIfAbsent?.('mark', bytes('second'), hour)).toEqual(bytes('second'))
    await deliver(1, 0)
    expect(await textAt('mark')).toBe('second')
    expect(await first.setIfAbsent?.('mark', bytes('third'), hour)).toEqual(bytes('second'))
  })

  it('is applied again when the store failed in the middle', async () => {
    const behind = new ScriptedStore()
    const { deliver, textAt, writer } = byHand(behind)
    await writer().setMany?.([{ key: 'key', value: bytes('value'), ...hour }])
    behind.writes = 'rejects'
    await expect(deliver(0)).rejects.toThrow('the store says no')
    behind.writes = 'works'
    await deliver(0)
    expect(await textAt('key')).toBe('value')
  })

  it.each([
    ['no object', 1],
    ['of another program', { operations: [] }],
  ])('that is none is told apart: %s', async (_name, message) => {
    expect(await applyQueuedChanges(memoryStore(), message)).toBe(false)
  })

  it.each([
    ['without changes', { writer: 'a', at: 1 }],
    ['with a change without a key', { writer: 'a', at: 1, changes: [{ sequence: 1 }] }],
    ['with a value that never ends', { writer: 'a', at: 1, changes: [{ sequence: 1, key: 'k', value: '' }] }],
    ['without a writer', { at: 1, changes: [] }],
  ])('that is damaged is an error, and nothing of it is applied: %s', async (_name, message) => {
    const behind = new ScriptedStore()
    await expect(applyQueuedChanges(behind, { llmemo: 'store@1', ...message })).rejects.toThrow(StoreError)
    expect(behind.calls).toEqual([])
  })

  it('of the form store@1 is applied, and its record of order read: both lie where a version is not the newest', async () => {
    const { behind, clock, textAt } = byHand()
    const at = clock.now()
    const change = { sequence: 2, key: 'key', value: 'dGVhbQ==', expires: at + 3_600_000 }
    const message = { llmemo: 'store@1', writer: 'w-1', at, changes: [change] }
    expect(await applyQueuedChanges(behind, message, { clock })).toBe(true)
    expect(await textAt('key')).toBe('team')
    // SHA-256 of `key`.
    const order = 'llmemo-order:2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683'
    expect(await textAt(order)).toBe(`[${at},"w-1",["w-1",2]]`)
    await behind.set(order, bytes(`[${at},"w-1",["w-1",7]]`), hour)
    await applyQueuedChanges(behind, { ...message, changes: [{ ...change, sequence: 7, value: 'b2xk' }] }, { clock })
    expect(await textAt('key')).toBe('team')
  })

  it('may have any key, and is ASCII within its bound', async () => {
    const { deliver, sent, textAt, writer } = byHand()
    const store = writer({ maxMessageBytes: 2_048 })
    const keys = ['é\u{1F600}"\\', '\u0000\uFFFE', ...Array.from({ length: 60 }, (_, index) => `key-${index}`)]
    await store.setMany?.(keys.map((key) => ({ key, value: bytes(key), ...hour })))
    expect(sent.length).toBeGreaterThan(2)
    for (const text of sent) expect(text).toMatch(/^[ -~]{1,2048}$/)
    await deliver(...sent.keys())
    for (const key of keys) expect(await textAt(key)).toBe(new TextDecoder().decode(bytes(key)))
  })

  it('leaves a large value to the store, and no older one can take its place', async () => {
    const { deliver, sent, textAt, writer } = byHand()
    const store = writer({ maxMessageBytes: 2_048 })
    const large = 'large '.repeat(1_000)
    await store.set('key', bytes('small'), hour)
    await store.set('key', bytes(large), hour)
    expect(await textAt('key')).toBe(large)
    expect(sent).toHaveLength(2)
    await deliver(1, 0)
    expect(await textAt('key')).toBe(large)
  })
})

describe('a cache over a queue', () => {
  it('says whether the queue took what was written, and waits no longer than for it', async () => {
    const held = Promise.withResolvers<void>()
    const messages: QueueMessage[] = []
    const client = {
      async sendMessage(message: QueueMessage): Promise<void> {
        messages.push(message)
        await held.promise
      },
    }
    const clock = new ManualClock()
    const store = queueStore(memoryStore({ clock }), { client, queueUrl: 'https://sqs.example/1/changes.fifo', clock })
    const cache = createCache({ store, clock, logger: false })
    await cache.set('key', 'value')
    expect(await cache.get('key')).toBe('value')
    held.resolve()
    expect(await cache.flush()).toBe(true)
    expect(messages.map(({ MessageGroupId: group }) => group)).toContain('llmemo')
  })

  it('goes on when the queue is down, and says so', async () => {
    const faults: unknown[] = []
    const client = { sendMessage: async () => Promise.reject(Object.assign(new Error('no'), { code: 'ECONNREFUSED', syscall: 'connect' })) }
    const store = queueStore(memoryStore(), { client, queueUrl: 'https://sqs.example/1/changes' })
    const cache = createCache({ store, logger: false })
    cache.on('error', ({ error }) => faults.push(error))
    await cache.set('key', 'value')
    expect(await cache.get('key')).toBe('value')
    expect(await cache.flush()).toBe(false)
    expect(faults[0]).toMatchObject({ message: 'llmemo: the queue did not take a change: connect ECONNREFUSED.' })
  })

  it('hands the queue one message with writes at a time, and gives up the oldest writes beyond the bound of what may wait', async () => {
    let isHeld = false
    let underWay = 0
    let most = 0
    const held = Promise.withResolvers<void>()
    const client = {
      async sendMessage({ MessageBody: body }: QueueMessage): Promise<void> {
        // Generations go by themselves, before what is filled under them.
        if (body.includes('"ifAbsent":true')) return
        most = Math.max(most, ++underWay)
        if (isHeld) await held.promise
        underWay--
      },
    }
    const clock = new ManualClock()
    const store = queueStore(memoryStore({ clock }), { client, queueUrl: 'https://sqs.example/1/changes', clock })
    const cache = createCache({ store, clock, logger: false })
    isHeld = true
    const value = 'x'.repeat(2 ** 20)
    for (let each = 0; each < 100; each++) await cache.set(`large ${each}`, value)
    expect(cache.stats().droppedWrites).toBeGreaterThan(0)
    expect(underWay).toBeLessThanOrEqual(1)
    const flushed = cache.flush()
    held.resolve()
    expect(await flushed).toBe(false)
    expect(most).toBe(1)
  })

  it('lets no outdated answer be served, in whatever order two writers fill and invalidate', async () => {
    const request = { prompt: 'Why is the sky blue?', scope: 'acme' }
    // By one: an invalidation, and an answer after it. By the other, later: an invalidation, of which the one knows nothing.
    const { behind, clock, deliver, sent, writer } = byHand()
    const open = (store: Store): Cache => createCache({ store, clock, logger: false, invalidationDelay: 0 })
    const [one, other] = [open(writer()), open(writer())]
    const upTo = (): number => sent.length
    await one.invalidate({ tags: ['sky'] })
    const invalidated = upTo()
    await one.store({ ...request, tags: ['sky'] }, 'Rayleigh.')
    await one.flush()
    const filled = upTo()
    clock.advance(5)
    await other.invalidate({ tags: ['sky'] })
    const indices = [...sent.keys()]
    const [marks, answers, later] = [indices.slice(0, invalidated), indices.slice(invalidated, filled), indices.slice(filled)]
    await deliver(...later, ...answers, ...marks)
    expect(await open(behind).lookup(request)).toBeUndefined()
    await deliver(...indices)
    expect(await open(behind).lookup(request)).toBeUndefined()
  })

  it('declares answers outdated for others once that is applied, and at once for itself', async () => {
    const { behind, clock, deliver, sent, writer } = byHand()
    const one = createCache({ store: writer(), clock, logger: false, invalidationDelay: 0 })
    const other = createCache({ store: behind, clock, logger: false, invalidationDelay: 0 })
    const request = { prompt: 'Why is the sky blue?', scope: 'acme' }
    const applyAll = async (from: number): Promise<void> => deliver(...[...sent.keys()].slice(from))
    await one.store({ ...request, tags: ['sky'] }, 'Rayleigh.')
    await one.flush()
    await applyAll(0)
    expect(await other.lookup(request)).toMatchObject({ answer: 'Rayleigh.' })
    const before = sent.length
    expect(await one.invalidate({ tags: ['sky'] })).toBe(true)
    expect(await one.lookup(request)).toBeUndefined()
    expect(await other.lookup(request)).toBeDefined()
    await applyAll(before)
    expect(await other.lookup(request)).toBeUndefined()
    expect(await one.lookup(request)).toBeUndefined()
  })
})

describe('queueStore', () => {
  it.each([
    ['a client without the method', { client: {} }],
    ['no URL', { queueUrl: 'changes' }],
    ['a message that SQS would not take', { maxMessageBytes: 2 ** 20 + 1 }],
    ['an unknown option', { queue: 'changes' }],
    ['no time to remember', { lag: 0 }],
  ])('refuses %s', (_name, wrong) => {
    const right = { client: server.client, queueUrl: 'https://sqs.example/1/changes' }
    expect(() => queueStore(memoryStore(), Object.assign(right, wrong))).toThrow(/client|queueUrl|maxMessageBytes|queue|lag/)
  })
})
