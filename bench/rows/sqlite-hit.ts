/**
 * A hit in a file of SQLite, with nothing in memory, beside node:sqlite alone.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import OpenAI from 'openai'
import { createCache, withCache } from '../../dist/index.mjs'
import { sqliteStore } from '../../dist/sqlite.mjs'
import { budgetSize, comparedBySize, sweep, sweepFigures, sweepTable } from '../harness/by-size.ts'
import { originOf } from '../harness/origin.ts'
import { pack, unpack } from '../harness/packed.ts'
import { asked, chatAnswer, question } from '../harness/payload.ts'
import type { Row } from '../harness/report.ts'

const bare = 'node:sqlite: get, inflate, JSON.parse'
const ours = 'llmemo lookup()'

/** SQLite hit. */
export const sqliteHit: Row = {
  name: 'sqlite-hit',
  title: 'Hit in SQLite',
  async run(run) {
    const folder = mkdtempSync(join(tmpdir(), 'llmemo-bench-'))
    const timings = await sweep(
      run,
      async (size) => {
        const cache = createCache({ store: sqliteStore(join(folder, `${size}.db`)), maxMemoryBytes: 0 })
        const one = question(size)
        const answer = chatAnswer(size)
        const request = () => ({ endpoint: 'chat.completions', body: asked(one) })
        await cache.store(request(), answer)
        await cache.flush()
        if ((await cache.lookup(request()))?.info.source !== 'sqlite') throw new Error('SQLite did not answer')
        const { fetch } = originOf({ whole: JSON.stringify(answer) })
        const client = withCache(new OpenAI({ apiKey: 'sk-bench', fetch }), cache)
        await client.chat.completions.create(asked(one))
        await cache.flush()
        if ((await client.chat.completions.create(asked(one)))._cache.source !== 'sqlite')
          throw new Error('SQLite did not answer the client')
        const database = new DatabaseSync(join(folder, `${size}-bare.db`))
        database.exec(
          'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE kept (key TEXT PRIMARY KEY, value BLOB NOT NULL)',
        )
        database.prepare('INSERT INTO kept VALUES (?, ?)').run('bare', pack(JSON.stringify(answer)))
        const get = database.prepare('SELECT value FROM kept WHERE key = ?')
        return {
          contenders: [
            {
              name: bare,
              run() {
                const value = get.get('bare')?.['value']
                if (!(value instanceof Uint8Array)) throw new Error('SQLite lost it')
                return unpack(value)
              },
            },
            { name: ours, run: () => cache.lookup(request()) },
            { name: 'llmemo, OpenAI client', run: () => client.chat.completions.create(asked(one)) },
          ],
          async close() {
            database.close()
            await cache.close()
          },
        }
      },
      [budgetSize],
    )
    rmSync(folder, { recursive: true, force: true })
    return {
      tables: [{ caption: 'Nothing in memory.', table: sweepTable(timings, bare) }],
      budgets: comparedBySize({
        what: 'hit in SQLite, lookup()',
        timings,
        name: ours,
        base: bare,
        baseName: 'node:sqlite',
        limits: { [budgetSize]: 1.3 },
      }),
      figures: sweepFigures(timings, bare),
    }
  },
}
