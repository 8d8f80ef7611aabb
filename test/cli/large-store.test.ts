import { afterEach, describe, expect, it } from 'vitest'
import { createCache } from '../../src/cache/cache.ts'
import { readCommandLine } from '../../src/cli/arguments.ts'
import { commands } from '../../src/cli/commands.ts'
import { Output } from '../../src/cli/output.ts'
import { createEntryCodec } from '../../src/codec/entry-codec.ts'
import type { EntryHead } from '../../src/entry.ts'
import { entryKey, entryPrefix } from '../../src/key/store-keys.ts'
import type { Store } from '../../src/store.ts'
import { sealedStore } from '../../src/engine/shared-store/sealed-store.ts'
import { readEncryption } from '../../src/codec/encryption.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { answer } from '../support/chat.ts'
import { entryHead } from '../support/entry-head.ts'

const now = 1_750_000_000_000
const body = JSON.stringify(answer('42'))
const codec = createEntryCodec({ compressAbove: 1e6, maxBodyBytes: 1e6 })

function headOf(index: number): EntryHead {
  const operation = index % 4 === 0 ? 'summarize' : 'qa'
  return entryHead({
    key: index.toString(16).padStart(64, '0'),
    scope: 't',
    namespace: '',
    operation,
    storedAt: now - index,
    ttl: 1_000_000,
    stale: 1_000_000_000,
  })
}

function valueAt(key: string): Uint8Array | undefined {
  const index = Number.parseInt(key.slice(-12), 16)
  return key.startsWith(entryPrefix('')) ? codec.encode({ head: headOf(index), body }) : undefined
}

/** A store of so many entries, none of which is there before it is read. Counts how many names and values it has given. */
function generatedStore(size: number) {
  const counts = { listed: 0, read: 0, removed: 0, most: 0, stopped: 0 }
  const store: Store = {
    name: 'generated',
    get: (key) => valueAt(key),
    getMany(keys) {
      counts.read += keys.length
      // What was listed and is not read yet is what a reader holds.
      counts.most = Math.max(counts.most, counts.listed - counts.read + keys.length)
      return keys.map(valueAt)
    },
    set: () => undefined,
    delete: () => void counts.removed++,
    *keys(prefix) {
      if (!prefix.startsWith(entryPrefix(''))) return
      try {
        for (let index = 0; index < size; index++) {
          counts.listed++
          yield entryKey('', headOf(index).key)
        }
      } finally {
        counts.stopped++
      }
    },
  }
  return { store, counts }
}

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const cache of open.splice(0)) await cache.close()
})

/** Runs a command over a store, and counts what it prints; lines are not kept. */
async function run(args: readonly string[], store: Store) {
  const cache = createCache({ store, maxMemoryBytes: 0, clock: new ManualClock(now), logger: false, prices: false })
  open.push(cache)
  const { command, operands, options } = readCommandLine(args)
  const counts = { lines: 0, last: '', widest: 0 }
  const progress: string[] = []
  const terminal = {
    out(text: string) {
      counts.lines++
      counts.last = text
      counts.widest = Math.max(counts.widest, text.length)
    },
    error: () => undefined,
    progress: (text: string) => void progress.push(text),
  }
  const output = new Output(terminal, options.json)
  const ok = await commands[command]?.({ cache, operands, options, output })
  output.end()
  return { ...counts, ok, progress }
}

describe('a store of very many entries', () => {
  const size = 25_000

  it.each([
    [['stats'], 1, /summarize +6,250/, '25,000 entries read'],
    [['ls', '--limit', '9999999'], size + 1, /./, '25,000 entries read'],
    [['export'], size, /^\{"llmemo":1,/, '25,000 entries written'],
    [['prune'], 1, /^This would remove 0 entries/, '25,000 entries read'],
    [['prune', '--older-than', '10s'], 1, /^This would remove 15,000 entries/, '15,000 entries read'],
    [['invalidate', '--operation', 'summarize'], 1, /^This would invalidate 6,250 of/, '6,000 entries read'],
  ])('is read page by page by %j', async (args, lines, last, told) => {
    const { store, counts } = generatedStore(size)
    const printed = await run(args, store)
    expect(printed).toMatchObject({ ok: true, lines, last: expect.stringMatching(last) })
    expect(counts).toMatchObject({ listed: size, read: size })
    expect(counts.most).toBeLessThanOrEqual(100)
    expect(printed.progress).toContain(told)
  })

  it('is listed no further than the limit', async () => {
    const { store, counts } = generatedStore(1_000_000)
    expect(await run(['ls', '--limit', '150'], store)).toMatchObject({ lines: 152, last: 'The first 150; --limit for more.' })
    expect(counts).toMatchObject({ listed: 200, stopped: 1 })
  })

  it('loses what is pruned while it is listed', async () => {
    const { store, counts } = generatedStore(1_000)
    const printed = await run(['prune', '--older-than', '0.5s', '--yes', '--json'], store)
    expect(JSON.parse(printed.last)).toEqual({ matching: 500, removed: 500, done: true })
    expect(counts).toMatchObject({ removed: 500, stopped: 1 })
    expect(counts.most).toBeLessThanOrEqual(100)
  })

  it('clears the progress before each line that it prints', async () => {
    const { progress } = await run(['ls', '--limit', '1200'], generatedStore(size).store)
    expect(progress).toEqual(['1,000 entries read', ''])
  })

  it('is listed page by page where names are hidden too', async () => {
    const { store, counts } = generatedStore(1_000)
    const sealed = sealedStore(store, {
      encryption: readEncryption('encryption', { keys: { a: 'ab'.repeat(32) }, current: 'a' }),
      clock: new ManualClock(now),
      signKey: 'sign',
      newGeneration: () => new Uint8Array(1),
      generationTtl: 1_000,
      nameIn: () => undefined,
      onFault: () => undefined,
    })
    const names = await Array.fromAsync(sealed.keys?.(entryPrefix('')) ?? [])
    expect(names).toEqual([])
    expect(counts).toMatchObject({ listed: 1_000, read: 1_000 })
    expect(counts.most).toBeLessThanOrEqual(100)
  })
})
