/**
 * A hit in memory through each client, beside the floor, beside the same call of the SDK's own with a provider that answers at once, and
 * beside the others.
 * @module
 */
import { budgetSize, budgetSizes, comparedBySize, type Prepared, sweep, sweepFigures, type Sweep, sweepTable } from '../harness/by-size.ts'
import { fill, sharesObjects } from '../harness/check.ts'
import { floor, floorName } from '../harness/floor.ts'
import type { Contender } from '../harness/measure.ts'
import { originOf } from '../harness/origin.ts'
import { question, type Question } from '../harness/payload.ts'
import type { Budget, Row, Run } from '../harness/report.ts'
import { type SdkClient, sdkClients } from '../harness/sdk-clients.ts'
import { everyone, othersAt } from '../others/index.ts'
import type { Caller } from '../others/other.ts'

const sdk = 'SDK, instant fetch'
const ours = 'llmemo'

/** Hit in memory through each wrapped client. */
export const clientHit: Row = {
  name: 'client-hit',
  title: 'Hit in memory through a client',
  async run(run) {
    const sharing = new Set<string>()
    const timings: [SdkClient, Sweep][] = []
    for (const client of sdkClients) timings.push([client, await sweep(run, (size) => callers(client, size, run, sharing), budgetSizes)])
    return {
      tables: timings.map(([{ name }, swept]) => ({
        caption: `${name}'s client. × is beside the floor.`,
        table: sweepTable(swept, floorName),
      })),
      notes: [
        `Hands the same object to every caller, not copied: ${sharing.size === 0 ? 'none' : [...sharing].join(', ')}.`,
        'The AI SDK and LangChain ask in their own words, by clients of their own: their answers are other objects, with more in them.',
      ],
      budgets: timings.flatMap(([{ name }, swept]) => budgetsOf(`hit in memory, ${name}`, swept)),
      figures: {
        ...Object.fromEntries(timings.map(([{ name }, swept]) => [name.toLowerCase(), sweepFigures(swept, floorName)])),
        uncopied: [...sharing],
      },
    }
  },
}

function budgetsOf(what: string, timings: Sweep): Budget[] {
  const compared = (base: string, limits: Readonly<Record<number, number>>): Budget[] =>
    comparedBySize({ what, timings, name: ours, base, limits })
  return [
    ...compared(floorName, { 500: 1.8, 2_000: 1.5, 8_000: 1.5, 20_000: 1.5 }),
    ...compared('cacheable', { 500: 1, 2_000: 1, 8_000: 1, 20_000: 1 }),
    ...compared('bentocache', { 500: 1.15, 2_000: 1.15, 8_000: 1, 20_000: 1 }),
  ]
}

async function callers(client: SdkClient, size: number, run: Run, sharing: Set<string>): Promise<Prepared> {
  const one = question(size)
  const { whole, text } = client.answer(size)
  const bare = client.bare(whole)
  const contenders: Contender[] = [floor(() => client.request(one), whole)]
  // No budget hangs on it.
  if (!run.isQuick || size === budgetSize) contenders.push({ name: sdk, run: () => bare.ask(one) })
  const closers: Caller['close'][] = []
  for (const { name, caller, origin } of client.name === 'OpenAI' ? await openaiCallers(whole, size, run) : aroundCallers(client, whole)) {
    await fill(name, caller, origin, one, text)
    if (await sharesObjects(caller, one)) sharing.add(name)
    contenders.push({ name, run: () => caller.ask(one) })
    closers.push(() => caller.close())
  }
  return {
    contenders,
    async close() {
      for (const close of closers) await close()
    },
  }
}

interface Opened {
  readonly name: string
  readonly caller: Caller
  readonly origin: { readonly calls: () => number }
}

/** All that know OpenAI, each by its own way. */
async function openaiCallers(whole: string, size: number, run: Run): Promise<Opened[]> {
  const opened: Opened[] = []
  for (const other of othersAt(run, size)) {
    const origin = originOf({ whole })
    const caller = await other.memory?.(origin)
    if (caller !== undefined) opened.push({ name: other.name, caller, origin })
  }
  return opened
}

/** llmemo, and those that go around any call. */
function aroundCallers(client: SdkClient, whole: string): Opened[] {
  const cached = client.cached(whole)
  const opened: Opened[] = [{ name: ours, caller: { ...cached, close() {} }, origin: cached }]
  for (const other of everyone) {
    const around = other.around?.()
    if (around === undefined) continue
    const bare = client.bare(whole)
    const ask = (one: Question): Promise<unknown> => around.ask(client.request(one), () => bare.ask(one))
    opened.push({ name: other.name, caller: { ask, close: () => around.close() }, origin: bare })
  }
  return opened
}
