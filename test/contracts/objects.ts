/**
 * What every place for objects must do.
 * @module
 */
import { describe, expect, it } from 'vitest'
import type { ObjectStore } from '../../src/stores/objects/objects.ts'

/** A place for objects over a service that tests can look into and break. */
export interface ObjectsUnderTest {
  readonly objects: ObjectStore
  /** What lies in the service, by name. A test may change it. */
  readonly held: Map<string, Buffer>
  /** Makes the service refuse everything from now on, as one that is overloaded. */
  readonly refuse: () => void
  cleanup(): Promise<void>
}

const until = Date.UTC(2030, 0, 1)

function noise(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) % 251)
}

/** Declares the suite for the place that `setup` makes, a new and empty one for each test. */
export function describeObjects(title: string, setup: () => Promise<ObjectsUnderTest>): void {
  const within = async (use: (trial: ObjectsUnderTest) => Promise<void>): Promise<void> => {
    const trial = await setup()
    try {
      await use(trial)
    } finally {
      await trial.cleanup()
    }
  }
  const { signal } = new AbortController()

  describe(`${title} as a place for objects`, () => {
    it.each([1, 1_000, 5_000_000])('gives back the %i bytes that were written', async (size) =>
      within(async ({ objects }) => {
        const tag = await objects.put('llmemo/a b+c', noise(size), { until, signal })
        const read = await objects.get({ name: 'llmemo/a b+c', tag, size }, { signal })
        expect(read && Buffer.compare(read, noise(size))).toBe(0)
      }),
    )

    it('keeps a view of a larger buffer, and only the view', async () =>
      within(async ({ objects, held }) => {
        await objects.put('view', new Uint8Array([1, 2, 3, 4, 5]).subarray(1, 3), { until, signal })
        expect([...held.values()].map((each) => each.join())).toEqual(['2,3'])
      }))

    it('keeps objects apart by their names', async () =>
      within(async ({ objects, held }) => {
        const [one, two] = [
          await objects.put('one', new Uint8Array([1]), { until, signal }),
          await objects.put('two', new Uint8Array([2]), { until, signal }),
        ]
        await objects.delete('one', { signal })
        expect(held.size).toBe(1)
        expect(await objects.get({ name: 'one', tag: one, size: 1 }, { signal })).toBeUndefined()
        expect([...((await objects.get({ name: 'two', tag: two, size: 1 }, { signal })) ?? [])]).toEqual([2])
      }))

    it('gives nothing for an object that is not there, and can remove it', async () =>
      within(async ({ objects }) => {
        expect(await objects.get({ name: 'none', tag: '', size: 3 }, { signal })).toBeUndefined()
        await objects.delete('none', { signal })
      }))

    it('gives nothing for another object than was written', async () =>
      within(async ({ objects, held }) => {
        const tag = await objects.put('one', new Uint8Array([1, 2, 3]), { until, signal })
        for (const name of held.keys()) held.set(name, Buffer.from([4, 5, 6]))
        expect(await objects.get({ name: 'one', tag, size: 3 }, { signal })).toBeUndefined()
      }))

    it('fails when its service refuses', async () =>
      within(async ({ objects, refuse }) => {
        refuse()
        const signalled = AbortSignal.timeout(20_000)
        await expect(objects.put('one', noise(10), { until, signal: signalled })).rejects.toThrow(/./)
        await expect(objects.get({ name: 'one', tag: '', size: 10 }, { signal: signalled })).rejects.toThrow(/./)
        await expect(objects.delete('one', { signal: signalled })).rejects.toThrow(/./)
      }))

    it('names the service, and not its address', async () =>
      within(async ({ objects }) => {
        expect(objects.name).toContain('answers')
        expect(objects.name).not.toMatch(/127\.0\.0\.1|http/)
      }))
  })
}
