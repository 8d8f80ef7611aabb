/**
 * Fills one memory in a process of its own and tells what that took. `bound` 0: through a client, as many as fit everyone.
 * @module
 */
import { createCache } from '../../dist/index.mjs'
import { numberIn, parameterOf, textIn } from '../harness/child.ts'
import { asked, chatAnswer, prose, question, random } from '../harness/payload.ts'
import { other } from '../others/loaders.ts'
import type { Other } from '../others/other.ts'
import { mixes } from './memory-mixes.ts'

const parameter = parameterOf()
const mix = mixes.find(({ name }) => name === textIn(parameter, 'mix'))
if (mix === undefined) throw new Error('there is no such mix')
const draw = random(11)
const latin = prose(1_000_000, 12)
const cyrillic = latin.replaceAll(/[a-z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0x3cf))
let bodies = 0

/** The next answer of the mix, as JSON. */
function nextAnswer(chosen: typeof mix & object): string {
  const size = Math.round(chosen.size(draw()))
  const text = draw() < chosen.foreign ? cyrillic : latin
  const start = Math.floor(draw() * (text.length - size))
  const frame = chatAnswer(0)
  const [choice] = frame.choices
  const content = text.slice(start, start + Math.max(1, size - 500))
  const whole = JSON.stringify({ ...frame, choices: [{ ...choice, message: { ...choice?.message, content } }] })
  bodies += Buffer.byteLength(whole)
  return whole
}

const bound = numberIn(parameter, 'bound')
console.log(JSON.stringify(bound > 0 ? await fillBound(mix) : await fillCount(mix, await other(textIn(parameter, 'name')))))
process.exit()

function request(number: number) {
  return { endpoint: 'chat.completions', body: asked(question(500, number)) }
}

async function fillBound(chosen: typeof mix & object): Promise<object> {
  const cache = createCache({ maxMemoryBytes: bound, prices: false })
  // What is loaded and compiled on the way is not the entries'.
  for (let number = 0; number < 200; number++) await cache.store(request(number), JSON.parse(nextAnswer(chosen)))
  await cache.clear()
  for (let number = 0; number < 200; number++) await cache.lookup(request(number))
  const before = await settled()
  bodies = 0
  const gone = { count: 0 }
  cache.on('evict', () => gone.count++)
  // Until as many have gone as there is room for.
  for (let number = 1_000; gone.count === 0 || number % 100 !== 0 || gone.count < cache.memory().entries; number++) {
    await cache.store(request(number), JSON.parse(nextAnswer(chosen)))
  }
  const after = await settled()
  const { bytes, entries } = cache.memory()
  return {
    entries,
    accounted: bytes,
    heap: after.heap - before.heap,
    resident: after.resident - before.resident,
    loose: after.loose - before.resident,
  }
}

async function fillCount(chosen: typeof mix & object, filled: Other): Promise<object> {
  const count = Math.round(chosen.count * numberIn(parameter, 'share'))
  let calls = 0
  const fetch: typeof globalThis.fetch = async () => {
    calls++
    return new Response(nextAnswer(chosen), { headers: { 'content-type': 'application/json' } })
  }
  const origin = { fetch, calls: () => calls }
  // A first caller is filled and thrown away, for what is loaded and compiled on the way.
  const first = await filled.memory?.(origin)
  for (let number = 0; number < 100; number++) await first?.ask(question(500, number))
  await first?.close()
  const before = await settled()
  const caller = await filled.memory?.(origin)
  bodies = 0
  for (let number = 0; number < count; number++) await caller?.ask(question(500, number))
  const after = await settled()
  const asking = calls
  await caller?.ask(question(500, count - 1))
  if (calls !== asking) throw new Error(`${filled.name} did not keep it`)
  return { entries: count, heap: after.heap - before.heap, bodies }
}

/** Memory in bytes: as the collector leaves it, and when the last unused page has gone back to the system. */
async function settled(): Promise<{ heap: number; resident: number; loose: number }> {
  globalThis.gc?.()
  await new Promise((resolve) => setTimeout(resolve, 50))
  const loose = process.memoryUsage.rss()
  for (let time = 0; time < 3; time++) {
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, resident: rss, loose }
}
