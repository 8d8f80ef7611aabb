/**
 * Entries to bytes and back, beside what deflating and inflating the same body takes by itself.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { deflateSync, inflateSync } from 'fflate'
import { fflateCompression } from '../../src/codec/fflate-compression.ts'
import { createEntryCodec } from '../../src/codec/entry-codec.ts'
import type { Entry } from '../../src/entry.ts'
import { sweep, sweepFigures, sweepTable } from '../harness/by-size.ts'
import { chatAnswer, sizeName, sizes } from '../harness/payload.ts'
import type { Row } from '../harness/report.ts'
import { bytes } from '../harness/table.ts'

const base = 'node:zlib alone'

/** Encode and decode. */
export const codec: Row = {
  name: 'codec',
  title: 'Entries to bytes and back',
  async run(run) {
    const limits = { compressAbove: 1_024, maxBodyBytes: 8 * 2 ** 20 }
    const keys = { bench: new Uint8Array(randomBytes(32)) }
    const codecs = {
      llmemo: createEntryCodec(limits),
      'llmemo with fflate': createEntryCodec({ ...limits, compression: fflateCompression }),
      'llmemo, encrypted': createEntryCodec({ ...limits, encryption: { keys, current: 'bench' } }),
    }
    const encoding = await sweep(run, (size) => {
      const entry = entryOf(size)
      const body = JSON.stringify(chatAnswer(size))
      return {
        contenders: [
          { name: base, run: () => deflateRawSync(Buffer.from(body)) },
          { name: 'fflate alone', run: () => deflateSync(Buffer.from(body)) },
          ...Object.entries(codecs).map(([name, each]) => ({ name, run: () => each.encode(entry) })),
        ],
      }
    })
    const decoding = await sweep(run, (size) => {
      const entry = entryOf(size)
      const deflated = deflateRawSync(JSON.stringify(chatAnswer(size)))
      return {
        contenders: [
          { name: base, run: () => inflateRawSync(deflated).toString() },
          { name: 'fflate alone', run: () => Buffer.from(inflateSync(deflated)).toString() },
          ...Object.entries(codecs).map(([name, each]) => {
            const encoded = each.encode(entry)
            return { name, run: () => each.decode(encoded) }
          }),
        ],
      }
    })
    const rows = sizes.map((size) => [
      sizeName(size),
      bytes(JSON.stringify(chatAnswer(size)).length),
      bytes(codecs.llmemo.encode(entryOf(size)).length),
      bytes(deflateRawSync(JSON.stringify(chatAnswer(size))).length),
    ])
    return {
      tables: [
        { caption: 'Encode: head, body, checksum.', table: sweepTable(encoding, base) },
        { caption: 'Decode: checksum, head, text.', table: sweepTable(decoding, base) },
        { caption: 'Bytes.', table: { header: ['', 'body', 'entry of llmemo', 'body deflated by zlib'], rows } },
      ],
      notes: ['llmemo leaves bodies of less than 1 KiB as they are; zlib and fflate alone deflate them too.'],
      figures: { encode: sweepFigures(encoding, base), decode: sweepFigures(decoding, base) },
    }
  },
}

function entryOf(size: number): Entry {
  return {
    head: {
      key: '0123456789abcdef'.repeat(4),
      scope: 'static:0123456789abcdef0123456789abcdef',
      provider: 'openai',
      endpoint: 'chat.completions',
      operation: 'chat',
      model: 'gpt-4.1-mini-2025-04-14',
      kind: 'json',
      storedAt: 1_763_600_000_000,
      ttl: 3_600_000,
      stale: 0,
      tags: [],
      generations: { all: '', 'operation:chat': '', 'model:gpt-4.1-mini': '', 'scope:bench': '' },
      status: 200,
      headers: { 'content-type': 'application/json', 'x-request-id': 'req_bench' },
      omits: [],
      usage: { input: 300, output: 400 },
      latency: 900,
    },
    body: JSON.stringify(chatAnswer(size)),
  }
}
