/**
 * A cache of so many small values in a process of its own, and what it takes to get one and to set one more, in microseconds.
 * @module
 */
import { createCache } from '../../dist/index.mjs'
import { numberIn, parameterOf } from '../harness/child.ts'
import { random } from '../harness/payload.ts'
import { median } from '../harness/statistics.ts'

const count = numberIn(parameterOf(), 'count')
const cache = createCache({ maxMemoryBytes: 6 * 2 ** 30, prices: false })
// In memory it is done when `set` returns; to wait for each would take twice as long.
for (let number = 0; number < count; number++) {
  const done = cache.set(`article:${number}`, number)
  if (number % 10_000 === 9_999 || number === count - 1) await done
}
if (cache.memory().entries !== count) throw new Error('not all of them are there')
globalThis.gc?.()
const draw = random(count)
// What comes first would be slower for want of a compiler, however few entries there are.
for (let time = 0; time < 30_000; time++) {
  await cache.get(`article:${Math.floor(draw() * count)}`)
  await cache.set(`article:${time % count}`, time)
}
const gets: number[] = []
const sets: number[] = []
for (let round = 0; round < 9; round++) {
  const start = performance.now()
  for (let time = 0; time < 1_000; time++) {
    if ((await cache.get(`article:${Math.floor(draw() * count)}`)) === undefined) throw new Error('one of them is gone')
  }
  const middle = performance.now()
  for (let time = 0; time < 1_000; time++) await cache.set(`new:${round}:${time}`, time)
  gets.push(middle - start)
  sets.push(performance.now() - middle)
}
// Milliseconds for a thousand are microseconds for one.
console.log(JSON.stringify({ get: median(gets), set: median(sets) }))
process.exit()
