/**
 * One of the processes of processes.ts: says that it is ready, waits for a line, asks, and says how many milliseconds that took.
 * @module
 */
import { once } from 'node:events'
import { numberIn, parameterOf, textIn } from '../harness/child.ts'
import { question } from '../harness/payload.ts'
import { other } from '../others/loaders.ts'

const parameter = parameterOf()
const chosen = await other(textIn(parameter, 'name'))
const provider = textIn(parameter, 'provider')
let calls = 0
const origin = {
  calls: () => calls,
  fetch: (_: unknown, init?: RequestInit) => {
    calls++
    return globalThis.fetch(provider, init)
  },
}
const redis = textIn(parameter, 'redis')
const caller = (await chosen.processes?.(origin, redis)) ?? (await chosen.redis?.(origin, redis))
if (caller === undefined) throw new Error(`${chosen.name} does not know Redis`)
// Connections, compilers and price tables are not what is measured.
for (let time = 0; time < 2; time++) await caller.ask(question(500, 1))
console.log('ready')
await once(process.stdin, 'data')
const start = performance.now()
const one = question(2_000, 2)
await Promise.all(Array.from({ length: numberIn(parameter, 'callers') }, () => caller.ask(one)))
console.log(performance.now() - start)
await once(process.stdin, 'end')
await caller.close()
