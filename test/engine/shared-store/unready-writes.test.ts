import { expect, it } from 'vitest'
import { UnreadyWrites } from '../../../src/engine/shared-store/unready-writes.ts'
import type { PendingWrite } from '../../../src/engine/shared-store/write-queue.ts'

function write(key: string, bytes: number): PendingWrite {
  return { key, bytes, make: () => ({ key, value: new Uint8Array(bytes), ttl: 1_000 }), isOver: () => false }
}

it('gives up the oldest beyond its bounds of writes and of bytes', async () => {
  const told: [string, boolean][] = []
  const writes = new UnreadyWrites({ maxWrites: 3, maxBytes: 100 }, ({ key }, isReady) => void told.push([key, isReady]))
  const never = new Promise<boolean>(() => undefined)
  for (const [key, bytes] of [
    ['a', 40],
    ['b', 40],
    ['c', 40],
  ] as const)
    void writes.add(write(key, bytes), never)
  expect(told).toEqual([['a', false]])
  // What took the place of another one, or was given up, counts no longer.
  void writes.add(write('c', 10), never)
  writes.cancel('b')
  void writes.add(write('d', 90), never)
  expect(told).toEqual([['a', false]])
  void writes.add(write('e', 0), never)
  void writes.add(write('f', 0), never)
  expect(told).toEqual([
    ['a', false],
    ['c', false],
  ])
  await writes.add(write('g', 1), Promise.resolve(true))
  expect(told.slice(2)).toEqual([
    ['d', false],
    ['g', true],
  ])
  expect(writes.size).toBe(2)
})
