/**
 * Making the key: canonical JSON and SHA-256, beside libraries that make canonical JSON, with the same SHA-256 over what they make.
 * @module
 */
import { hash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { configure } from 'safe-stable-stringify'
import { deriveKey } from '../../src/key/key.ts'
import { sweep, sweepFigures, sweepTable } from '../harness/by-size.ts'
import { asked, question } from '../harness/payload.ts'
import type { Row } from '../harness/report.ts'

const base = 'JSON.stringify, not canonical'

/** What a wrapped client of OpenAI makes a key of. */
const parts = (request: unknown) => ({
  namespace: '',
  scope: 'static:0123456789abcdef0123456789abcdef',
  provider: 'openai',
  origin: 'https://api.openai.com/v1',
  endpoint: 'chat.completions',
  headers: {},
  request,
  context: null,
  variant: 0,
})

/** Key derivation. */
export const key: Row = {
  name: 'key',
  title: 'Key derivation',
  async run(run) {
    const strict = configure({ strict: true })
    const timings = await sweep(run, (size) => {
      const one = question(size)
      return {
        contenders: [
          { name: base, run: () => hash('sha256', JSON.stringify(parts(asked(one)))) },
          { name: 'llmemo', run: () => deriveKey(parts(asked(one)), { longText: 1_000 }) },
          { name: 'llmemo, long texts whole', run: () => deriveKey(parts(asked(one)), { longText: Infinity }) },
          { name: 'canonicalize', run: () => hash('sha256', canonicalize(parts(asked(one))) ?? '') },
          { name: 'safe-stable-stringify', run: () => hash('sha256', strict(parts(asked(one))) ?? '') },
        ],
      }
    })
    return {
      tables: [
        {
          caption: 'SHA-256 included. × is beside JSON.stringify, whose text depends on the order of members.',
          table: sweepTable(timings, base),
        },
      ],
      notes: [
        'llmemo refuses what JSON cannot hold (Map, NaN, lone surrogates), and digests texts of more than 1,000 characters by themselves.',
      ],
      figures: sweepFigures(timings, base),
    }
  },
}
