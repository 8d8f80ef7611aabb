import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PendingWrite, WriteQueue, type WriteQueueBounds } from '../../../src/engine/shared-store/write-queue.ts'
import type { StoreWrite } from '../../../src/store.ts'
import { settle } from '../../support/chat.ts'

const wide: WriteQueueBounds = { maxWrites: 1_000, maxBytes: 1_000_000, batchSize: 100 }

function setup(bounds: Partial<WriteQueueBounds> = {}, held = false) {
  const batches: string[][] = []
  const dropped: string[] = []
  const failed: unknown[] = []
  const gates: (() => void)[] = []
  const write = async (writes: readonly StoreWrite[]): Promise<boolean> => {
    batches.push(writes.map(({ key, value }) => `${key}=${value.join('')}`))
    if (held) await new Promise<void>((resolve) => gates.push(resolve))
    return true
  }
  const queue = new WriteQueue(
    { ...wide, ...bounds },
    {
      write,
      dropped: (key) => dropped.push(key),
      failed: (error) => failed.push(error),
    },
  )
  return { queue, batches, dropped, failed, release: () => gates.shift()?.() }
}

function pending(key: string, value = 1, bytes = 1): PendingWrite {
  return { key, bytes, make: () => ({ key, value: Uint8Array.of(value), ttl: 1_000 }), isOver: () => false }
}

describe('a write queue', () => {
  it('writes in the background: nothing is made before the caller has gone on', async () => {
    const { queue, batches } = setup()
    let made = false
    queue.push({
      ...pending('a'),
      make: () => {
        made = true
        return pending('a').make()
      },
    })
    await Promise.resolve()
    expect(made).toBe(false)
    await queue.settled()
    expect(made).toBe(true)
    expect(batches).toEqual([['a=1']])
  })

  it('writes in batches, in the order of coming', async () => {
    const { queue, batches } = setup({ batchSize: 2 })
    for (const key of ['a', 'b', 'c', 'd', 'e']) queue.push(pending(key))
    await queue.settled()
    expect(batches).toEqual([['a=1', 'b=1'], ['c=1', 'd=1'], ['e=1']])
  })

  it('writes the last of several values of a key, once', async () => {
    const { queue, batches } = setup()
    queue.push(pending('a', 1))
    queue.push(pending('b', 2))
    queue.push(pending('a', 3))
    await queue.settled()
    expect(batches).toEqual([['b=2', 'a=3']])
  })

  it('R16 drops the oldest when too many wait, and tells of each', async () => {
    const { queue, batches, dropped } = setup({ maxWrites: 2 })
    for (const key of ['a', 'b', 'c', 'd']) queue.push(pending(key))
    await queue.settled()
    expect(dropped).toEqual(['a', 'b'])
    expect(batches).toEqual([['c=1', 'd=1']])
  })

  it('R16 drops the oldest when too much waits, and what alone is too much', async () => {
    const { queue, batches, dropped } = setup({ maxBytes: 10 })
    queue.push(pending('a', 1, 6))
    queue.push(pending('b', 2, 6))
    expect(dropped).toEqual(['a'])
    queue.push(pending('c', 3, 11))
    await queue.settled()
    expect(dropped).toEqual(['a', 'b', 'c'])
    expect(batches.flat()).toEqual([])
  })

  it('does not write what was cancelled, and goes on after an entry that cannot be made', async () => {
    const { queue, batches, failed } = setup()
    const oops = new Error('oops')
    queue.push(pending('a'))
    queue.push({
      ...pending('b'),
      make: () => {
        throw oops
      },
    })
    queue.push(pending('c'))
    await queue.cancel('a')
    await queue.settled()
    expect(batches).toEqual([['c=1']])
    expect(failed).toEqual([oops])
  })

  it('R15 is done with a key when cancelling it is: also with the write that is under way', async () => {
    const { queue, batches, release } = setup({}, true)
    queue.push(pending('a'))
    await settle()
    expect(batches).toEqual([['a=1']])
    let cancelled = false
    const cancelling = queue.cancel('a').then(() => (cancelled = true))
    await queue.cancel('another')
    await settle()
    expect(cancelled).toBe(false)
    release()
    await cancelling
    await queue.settled()
  })

  it('shows what will lie under a key: what waits, else what is under way', async () => {
    const { queue, release } = setup({}, true)
    let over = false
    queue.push({ ...pending('a', 1), isOver: () => over })
    expect([queue.peek('a'), queue.peek('b')]).toEqual([{ value: Uint8Array.of(1) }, undefined])
    await settle()
    expect(queue.peek('a')).toEqual({ value: Uint8Array.of(1) })
    over = true
    expect(queue.peek('a')).toEqual({ value: undefined })
    queue.push(pending('a', 2))
    expect(queue.peek('a')).toEqual({ value: Uint8Array.of(2) })
    release()
    await settle()
    release()
    await queue.settled()
    expect(queue.peek('a')).toBeUndefined()
  })

  it('is settled only when what came while it was writing is written too', async () => {
    const { queue, batches, release } = setup({}, true)
    queue.push(pending('a'))
    let settled = false
    const settling = queue.settled().then(() => (settled = true))
    await settle()
    queue.push(pending('b'))
    release()
    await settle()
    expect([settled, batches]).toEqual([false, [['a=1'], ['b=1']]])
    release()
    await settling
    await queue.settled()
  })

  it('gives up all that waits when it is told to', async () => {
    const { queue, batches, dropped } = setup()
    queue.push(pending('a'))
    queue.push(pending('b'))
    queue.clear()
    await queue.settled()
    expect(dropped).toEqual(['a', 'b'])
    expect(batches).toEqual([])
  })

  it('writes or drops every key that is pushed, and the value that was pushed last', async () => {
    const pushes = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(9), fc.integer({ min: 1, max: 5 })))
    await fc.assert(
      fc.asyncProperty(pushes, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 5, max: 12 }), async (given, batch, maxBytes) => {
        const { queue, batches, dropped } = setup({ batchSize: batch, maxBytes, maxWrites: 3 })
        const last = new Map(given.map(([key, value]) => [key, `${key}=${value}`]))
        for (const [key, value, bytes] of given) queue.push(pending(key, value, bytes))
        await queue.settled()
        const written = batches.flat()
        expect(batches.every((each) => each.length <= batch)).toBe(true)
        for (const [key, value] of last) expect(written.includes(value) || dropped.includes(key)).toBe(true)
        expect(written.every((value) => [...last.values()].includes(value))).toBe(true)
        expect(new Set(written).size).toBe(written.length)
      }),
    )
  })
})
