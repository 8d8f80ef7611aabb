/**
 * A hit in hot memory, without any SDK: `cache.lookup` beside the floor.
 * @module
 */
import { createCache } from '../../dist/index.mjs'
import { sweep, sweepFigures, sweepTable } from '../harness/by-size.ts'
import { floor, floorName } from '../harness/floor.ts'
import { asked, chatAnswer, question } from '../harness/payload.ts'
import type { Row } from '../harness/report.ts'

const ours = 'llmemo lookup()'

/** Hot hit in the engine. */
export const engineHit: Row = {
  name: 'engine-hit',
  title: 'Hot hit in the engine',
  async run(run) {
    const timings = await sweep(run, async (size) => {
      const cache = createCache()
      const one = question(size)
      const answer = chatAnswer(size)
      await cache.store({ endpoint: 'chat.completions', body: asked(one) }, answer)
      const lookup = () => cache.lookup({ endpoint: 'chat.completions', body: asked(one) })
      if ((await lookup())?.info.source !== 'memory') throw new Error('the engine did not hit')
      return { contenders: [floor(() => asked(one), JSON.stringify(answer)), { name: ours, run: lookup }], close: () => cache.close() }
    })
    return {
      tables: [{ caption: 'Each call makes its own request and gets an answer of its own.', table: sweepTable(timings, floorName) }],
      figures: sweepFigures(timings, floorName),
    }
  },
}
