/**
 * A batch of embeddings of which every input is stored, through OpenAI's client: from memory, from a file and from Redis, beside what it
 * takes to parse one such answer that is in memory as text.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import OpenAI from 'openai'
import { type Cache, createCache, withCache } from '../../dist/index.mjs'
import { redisStore } from '../../dist/redis.mjs'
import { sqliteStore } from '../../dist/sqlite.mjs'
import { round } from '../harness/by-size.ts'
import { type Contender, raceByCall } from '../harness/measure.ts'
import { originOf } from '../harness/origin.ts'
import { prose, random } from '../harness/payload.ts'
import type { Budget, Row, Run } from '../harness/report.ts'
import { ratio, slow, type Timing, typical } from '../harness/statistics.ts'
import { digits, duration } from '../harness/table.ts'

const inputs = 2_048
const dimensions = 1_536
/** Characters of one input: a short paragraph. */
const inputLength = 200

/** How the provider writes a vector: as the SDK asks for it by itself, or as a list of numbers if the caller asks for `float`. */
type Encoding = 'base64' | 'float'

const parsing = 'parsing one such answer'
const limits = { memory: 1.3, SQLite: 2, Redis: 3 }

/** Embeddings that are all stored. */
export const embeddings: Row = {
  name: 'embeddings',
  title: `${inputs.toLocaleString('en-US')} embeddings of ${dimensions.toLocaleString('en-US')} numbers, all stored`,
  async run(run) {
    const measured: [Encoding, ReadonlyMap<string, Timing>][] = []
    // In a quick look only as the SDK asks by itself, as long lists of numbers take their time.
    for (const encoding of run.isQuick ? (['base64'] as const) : (['base64', 'float'] as const)) {
      measured.push([encoding, await timingsOf(encoding, run)])
    }
    return {
      tables: measured.map(([encoding, timings]) => ({
        caption: encoding === 'base64' ? 'As the SDK asks by itself: base64, which it decodes.' : "With `encoding_format: 'float'`.",
        table: {
          header: ['', 'a batch', 'p99', '×'],
          rows: [...timings].map(([name, timing]) => [
            name,
            duration(typical(timing)),
            duration(slow(timing)),
            digits(ratio(timing, timingIn(timings, parsing))),
          ]),
        },
      })),
      notes: [`Inputs of ${inputLength} characters. The stores get 10 seconds for a read, so that a busy machine makes no misses.`],
      budgets: measured.flatMap(([encoding, timings]) => budgetsOf(encoding, timings)),
      figures: Object.fromEntries(
        measured.map(([encoding, timings]) => [
          encoding,
          [...timings].map(([name, timing]) => ({
            name,
            median: round(typical(timing)),
            ratio: round(ratio(timing, timingIn(timings, parsing))),
          })),
        ]),
      ),
    }
  },
}

function budgetsOf(encoding: Encoding, timings: ReadonlyMap<string, Timing>): Budget[] {
  return Object.entries(limits).map(([name, limit]) => ({
    what: `embeddings, ${encoding}, all stored in ${name}, × ${parsing}`,
    measured: ratio(timingIn(timings, name), timingIn(timings, parsing)),
    limit,
    unit: '×',
  }))
}

function timingIn(timings: ReadonlyMap<string, Timing>, name: string): Timing {
  const timing = timings.get(name)
  if (timing === undefined) throw new RangeError(`${name} was not measured`)
  return timing
}

async function timingsOf(encoding: Encoding, { isQuick, redis, effort: { timer } }: Run): Promise<ReadonlyMap<string, Timing>> {
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-bench-'))
  const connection = new Redis(redis)
  const whole = answerOf(encoding)
  const stored = { maxMemoryBytes: 0, readDeadline: '10s' } as const
  const caches: Readonly<Record<keyof typeof limits, Cache>> = {
    memory: createCache({ maxMemoryBytes: 512 * 2 ** 20 }),
    SQLite: createCache({ ...stored, store: sqliteStore(join(folder, 'answers.db')) }),
    Redis: createCache({ ...stored, store: redisStore(connection) }),
  }
  try {
    const contenders: Contender[] = [{ name: parsing, run: () => parse(whole, encoding) }]
    for (const [name, cache] of Object.entries(caches)) contenders.push({ name, run: await filled(name, cache, whole, encoding) })
    // A batch leaves so much behind that the next one would sweep up for it.
    return await raceByCall(contenders, { ...(isQuick ? { calls: 3, warmUp: 0 } : { calls: 11, warmUp: 1 }), timer }, async () =>
      globalThis.gc?.(),
    )
  } finally {
    for (const cache of Object.values(caches)) await cache.close()
    await connection.flushall()
    await connection.quit()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A call whose inputs are all stored. @throws when the second call still goes to the provider, or gets other vectors */
async function filled(name: string, cache: Cache, whole: string, encoding: Encoding): Promise<() => Promise<unknown>> {
  const { fetch, calls } = originOf({ whole })
  const client = withCache(new OpenAI({ apiKey: 'sk-bench', fetch }), cache)
  const input = Array.from({ length: inputs }, (_, index) => `${index}: ${prose(inputLength, index)}`)
  const ask = () =>
    client.embeddings.create({ model: 'text-embedding-3-small', input, ...(encoding === 'float' && { encoding_format: encoding }) })
  await ask()
  await cache.flush()
  const { data } = await ask()
  if (calls() !== 1) throw new Error(`${name} does not have every input`)
  const last = parse(whole, encoding).at(-1)
  if (data.length !== inputs || data.at(-1)?.embedding.join() !== last?.join()) throw new Error(`${name} lost a vector`)
  return ask
}

/** What the SDK makes of an answer: the vectors as lists of numbers. */
function parse(whole: string, encoding: Encoding): number[][] {
  // It is the answer of `answerOf`.
  const { data }: { readonly data: readonly { readonly embedding: unknown }[] } = JSON.parse(whole)
  return data.map(({ embedding }) => (encoding === 'base64' ? decode(String(embedding)) : Object(embedding)))
}

function decode(text: string): number[] {
  const { buffer, byteOffset, length } = Buffer.from(text, 'base64')
  return Array.from(new Float32Array(buffer, byteOffset, length / Float32Array.BYTES_PER_ELEMENT))
}

/** An answer of the provider, as JSON. */
function answerOf(encoding: Encoding): string {
  const draw = random(41)
  const data = Array.from({ length: inputs }, (_, index) => {
    const vector = Float32Array.from({ length: dimensions }, () => (draw() - 0.5) / 10)
    const embedding =
      encoding === 'base64' ? Buffer.from(vector.buffer).toString('base64') : Array.from(vector, (value) => Number(value.toPrecision(8)))
    return { object: 'embedding', index, embedding }
  })
  const tokens = (inputs * inputLength) / 4
  return JSON.stringify({ object: 'list', data, model: 'text-embedding-3-small', usage: { prompt_tokens: tokens, total_tokens: tokens } })
}
