/**
 * The quick start's table: makes calls, prints what the cache says of each when it ends, and then the sums.
 * @module
 */
import { APIError } from 'openai'
import { type Cache, cacheInfo } from 'llmemo'
import type { Provider } from './provider.ts'
import { count, dollars, firstCell, from, head, milliseconds, restOfRow, savedBriefly, seconds } from './report.ts'

/** How many texts a call embeds, and the tokens of all of them, stored or not. */
export interface Parts {
  readonly texts: number
  readonly tokens: number
}

/** A table that grows by a row with each call. */
export interface CallTable {
  /**
   * Makes a call and prints its row. A call that fails is a row too, and the next call follows.
   * @param inParts for a call of which a part may be stored
   */
  call<Answer>(name: string, make: () => Promise<Answer>, inParts?: (answer: Answer) => Parts): Promise<void>
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
  /** The statistics count a call as a miss if it asked the provider for a part. What its stored part saved is counted here. */
  const savedInPart = { tokens: 0, usd: 0 }
  let calls = 0
  let stored = 0
  cache.on('store', () => (stored += 1))

  /** What the stored part saved. Embeddings cost the same for each token. */
  function partSaved({ tokens }: Parts, before: ReturnType<Cache['stats']>): number | null {
    const after = cache.stats()
    const spentTokens = after.spentTokens - before.spentTokens
    savedInPart.tokens += tokens - spentTokens
    if (spentTokens === 0 || after.unpricedMisses > before.unpricedMisses) return null
    const usd = ((after.spentUsd - before.spentUsd) / spentTokens) * (tokens - spentTokens)
    savedInPart.usd += usd
    return usd
  }

  function savedUsd(): number | null {
    const { hits, unpricedHits, savedUsd } = cache.stats()
    return unpricedHits > 0 && unpricedHits === hits ? null : savedUsd + savedInPart.usd
  }

  function hitRate(): string {
    return `${Math.round(100 * cache.stats().hitRate)} %`
  }

  console.log(head())
  return {
    async call(name, make, inParts) {
      calls += 1
      stored = 0
      process.stdout.write(firstCell(name))
      const before = cache.stats()
      const begun = performance.now()
      const took = () => milliseconds(performance.now() - begun)
      try {
        const answer = await make()
        const time = took()
        const info = cacheInfo(answer)
        if (info === undefined) throw new TypeError('The call did not go through the cache.')
        const row = { call: name, from: from(info), took: time }
        if (info.hit) return console.log(restOfRow({ ...row, saved: savedBriefly(info), kind: 'hit' }))
        const parts = inParts?.(answer)
        if (parts === undefined || stored === 0) return console.log(restOfRow({ ...row, saved: '', kind: 'miss' }))
        const isWhole = stored >= parts.texts
        const texts = isWhole ? `, ${parts.texts} texts` : `, ${stored} of ${parts.texts} texts`
        console.log(restOfRow({ ...row, from: row.from + texts, saved: isWhole ? '' : dollars(partSaved(parts, before)), kind: 'miss' }))
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
      console.log(`Hits    ${hits} of ${hits + misses} calls (${hitRate()}); ${bypasses} more bypassed the cache`)
      console.log(`Saved   ${dollars(savedUsd())} · ${count(savedTokens + savedInPart.tokens)} tokens · ${seconds(savedMs)} of waiting`)
      console.log(`Spent   ${dollars(spent)} · ${count(spentTokens)} tokens on misses (a bypass is not counted)`)
      console.log(`Asked   the provider ${requests} for ${calls} calls`)
      for (const failure of new Set(failures)) console.log(`Failed  ${failure}`)
    },
    printOutlook() {
      const { hits, misses, savedMs } = cache.stats()
      const daily = 10_000 / Math.max(1, hits + misses)
      const usd = savedUsd()
      const hours = ((savedMs * daily) / 3_600_000).toFixed(1)
      const saving = `${dollars(usd === null ? null : usd * daily)} and ${hours} h of waiting`
      console.log(`10,000 such calls a day (${hitRate()} hits) save ${saving} each day.`)
    },
    failures,
  }
}
