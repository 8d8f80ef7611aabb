/**
 * The quick start's table: makes calls, prints what the cache says of each when it ends, and then the sums.
 * @module
 */
import { APIError } from 'openai'
import { type Cache, cacheInfo } from 'llmemo'
import type { Provider } from './provider.ts'
import { count, dollars, firstCell, from, head, milliseconds, restOfRow, savedBriefly, seconds } from './report.ts'

/** A table that grows by a row with each call. */
export interface CallTable {
  /** Makes a call and prints its row. A call that fails is a row too, and the next call follows. */
  call<Answer>(name: string, make: () => Promise<Answer>): Promise<void>
  /** Prints the sums. */
  printSums(): void
  /** Prints what the same would save in a large program. */
  printOutlook(): void
  /** The messages of the calls that failed. */
  readonly failures: readonly string[]
}

/** Prints the head of the table. */
export function openTable(cache: Cache, provider: Provider): CallTable {
  const failures: string[] = []
  let calls = 0

  function savedUsd(): number | null {
    const { hits, unpricedHits, savedUsd } = cache.stats()
    return unpricedHits > 0 && unpricedHits === hits ? null : savedUsd
  }

  function hitRate(): string {
    return `${Math.round(100 * cache.stats().hitRate)} %`
  }

  console.log(head())
  return {
    async call(name, make) {
      calls += 1
      process.stdout.write(firstCell(name))
      const begun = performance.now()
      const took = () => milliseconds(performance.now() - begun)
      try {
        const answer = await make()
        const time = took()
        const info = cacheInfo(answer)
        if (info === undefined) throw new TypeError('The call did not go through the cache.')
        const row = { call: name, from: from(info), took: time }
        if (info.hit) return console.log(restOfRow({ ...row, saved: savedBriefly(info), kind: 'hit' }))
        const { inputs } = info
        if (inputs === undefined) return console.log(restOfRow({ ...row, saved: '', kind: 'miss' }))
        // The provider was asked for some texts, and the others were stored.
        const texts = inputs.hits === 0 ? `${inputs.misses} texts` : `${inputs.misses} of ${inputs.hits + inputs.misses} texts`
        const saved = inputs.hits === 0 ? '' : savedBriefly(info)
        console.log(restOfRow({ ...row, from: `${row.from}, ${texts}`, saved, kind: 'miss' }))
      } catch (error) {
        const status = error instanceof APIError && error.status !== undefined ? ` (${error.status})` : ''
        console.log(restOfRow({ call: name, from: `failed${status}`, took: took(), saved: '', kind: 'failure' }))
        failures.push(error instanceof Error ? error.message : String(error))
      }
    },
    printSums() {
      const { hits, misses, bypasses, savedTokens, savedMs, spentUsd, spentTokens, unpricedMisses } = cache.stats()
      const spent = unpricedMisses > 0 && unpricedMisses === misses ? null : spentUsd
      const requests = provider.calls() === 1 ? 'once' : `${provider.calls()} times`
      console.log(`Hits    ${hits} of ${hits + misses}, a text of a batch counted as one (${hitRate()}); ${bypasses} bypassed the cache`)
      console.log(`Saved   ${dollars(savedUsd())} · ${count(savedTokens)} tokens · ${seconds(savedMs)} of waiting`)
      console.log(`Spent   ${dollars(spent)} · ${count(spentTokens)} tokens on misses (a bypass is not counted)`)
      console.log(`Asked   the provider ${requests} for ${calls} calls`)
      for (const failure of new Set(failures)) console.log(`Failed  ${failure}`)
    },
    printOutlook() {
      const { bypasses, savedMs } = cache.stats()
      const daily = 10_000 / Math.max(1, calls - bypasses)
      const usd = savedUsd()
      const hours = ((savedMs * daily) / 3_600_000).toFixed(1)
      const saving = `${dollars(usd === null ? null : usd * daily)} and ${hours} h of waiting`
      console.log(`10,000 such calls a day (${hitRate()} hits) save ${saving} each day.`)
    },
    failures,
  }
}
