/**
 * Calls that go through the SDK's own request: hits by the seam that the SDK documents, as a client with options for `fetch` or middleware
 * of its own gets them, and calls that bypass the cache. Each beside the bare client with the same options.
 * @module
 */
import { budgetSize, comparedBySize, type Prepared, sweep, sweepFigures, type Sweep, sweepTable } from '../harness/by-size.ts'
import type { Contender } from '../harness/measure.ts'
import { question } from '../harness/payload.ts'
import type { Budget, Row } from '../harness/report.ts'
import { type SdkClient, sdkClients } from '../harness/sdk-clients.ts'

const sdk = 'SDK'
const bypass = 'llmemo, bypassCache'
const seam = (between: string): string => `llmemo, ${between}`
const sdkWith = (between: string): string => `SDK, ${between}`

/** Documented seam and bypass. */
export const seamAndBypass: Row = {
  name: 'seam-and-bypass',
  title: 'Through the SDK’s own request: the documented seam, and a bypass',
  async run(run) {
    const timings: [SdkClient, Sweep][] = []
    for (const client of sdkClients) timings.push([client, await sweep(run, (size) => callers(client, size), [budgetSize])])
    return {
      tables: timings.map(([{ name }, swept]) => ({ caption: `${name}'s client.`, table: sweepTable(swept, sdk) })),
      notes: ['The provider answers at once. A budget compares with the SDK under the same options, × in the tables with the plain SDK.'],
      budgets: timings.flatMap(([client, swept]) => budgetsOf(client, swept)),
      figures: Object.fromEntries(timings.map(([{ name }, swept]) => [name.toLowerCase(), sweepFigures(swept, sdk)])),
    }
  },
}

function budgetsOf({ name, between }: SdkClient, timings: Sweep): Budget[] {
  return [
    ...comparedBySize({ what: `bypass, ${name}`, timings, name: bypass, base: sdk, baseName: 'the SDK', limits: { [budgetSize]: 1.1 } }),
    ...between.flatMap((each) =>
      comparedBySize({
        what: `documented seam, ${name} with ${each}`,
        timings,
        name: seam(each),
        base: sdkWith(each),
        baseName: 'the SDK',
        limits: { [budgetSize]: 1.2 },
      }),
    ),
  ]
}

async function callers(client: SdkClient, size: number): Promise<Prepared> {
  const one = question(size)
  const { whole } = client.answer(size)
  const bare = client.bare(whole)
  const cached = client.cached(whole)
  const contenders: Contender[] = [
    { name: sdk, run: () => bare.ask(one) },
    { name: bypass, run: () => cached.bypass(one) },
  ]
  for (const between of client.between) {
    const alone = client.bare(whole, between)
    const wrapped = client.cached(whole, between)
    await wrapped.ask(one)
    const source = await wrapped.source(one)
    if (source !== 'memory' || wrapped.calls() !== 1) throw new Error(`the ${client.name} client with ${between} did not hit`)
    contenders.push({ name: sdkWith(between), run: () => alone.ask(one) }, { name: seam(between), run: () => wrapped.ask(one) })
  }
  const before = cached.calls()
  await cached.bypass(one)
  if (cached.calls() !== before + 1) throw new Error(`the ${client.name} client did not bypass the cache`)
  return { contenders }
}
