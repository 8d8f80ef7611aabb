/**
 * The command that says what is wrong with a store, and how to mend it.
 * @module
 */
import { createEntryCodec } from '../codec/entry-codec.ts'
import type { Finding } from '../base/finding.ts'
import { nameOf } from '../base/foreign-error.ts'
import { type Cache, engineOf } from '../cache/cache.ts'
import { examineStore } from '../env/open-store.ts'
import { EntryError, LlmemoError } from '../errors.ts'
import { entryPrefix, examinedKey } from '../key/store-keys.ts'
import type { Run } from './command.ts'
import { described, wrapped } from './text.ts'

/** Examines the store, writes, reads and removes a value, and looks whether stored answers can be read. */
export async function doctor({ cache, output, address }: Run): Promise<boolean> {
  const store = engineOf(cache)?.settings.store
  const findings: Finding[] = []
  if (address === undefined || store === undefined) {
    findings.push({ check: 'store', state: 'bad', found: 'none is given', mend: 'Name one by --store or CACHE_STORE.' })
  } else {
    const namespace = engineOf(cache)?.settings.namespace ?? ''
    findings.push(...(await examineStore(address, examinedKey(namespace, `${process.pid}-${Date.now()}`))))
    // A store that is not there has nothing more to be examined.
    if (findings.every(({ check, state }) => check !== 'connection' || state !== 'bad')) {
      findings.push(await roundTrip(cache), await keyFits(cache))
    }
  }
  const bad = findings.filter(({ state }) => state === 'bad').length
  const end = bad === 0 ? 'The store is well.' : `The store is not well: ${bad === 1 ? 'one thing' : `${bad} things`} to mend.`
  await output.result({ ok: bad === 0, findings }, [...findings.flatMap((finding) => linesOf(finding)), ...wrapped(end)])
  return bad === 0
}

const marks = { good: 'ok', bad: 'BAD', unknown: '?' } as const

function linesOf({ check, state, found, mend }: Finding): string[] {
  const advice = mend === undefined ? [] : wrapped(`${' '.repeat(17)}${mend}`, 17)
  return [...described(`${marks[state].padEnd(4)}${check}`, found, 17), ...advice]
}

/** Writes, reads and removes a value, and measures how long that takes. */
async function roundTrip(cache: Cache): Promise<Finding> {
  const faults: string[] = []
  const end = cache.on('error', ({ doing, error }) => faults.push(`${doing}: ${reasonOf(error)}`))
  const key = `llmemo-doctor-${process.pid}-${Date.now()}`
  const begun = performance.now()
  await cache.set(key, 'well', 60)
  await cache.flush()
  const isFound = (await cache.ttl(key)) !== undefined
  const isRemoved = await cache.del(key)
  const milliseconds = performance.now() - begun
  end()
  const check = 'round trip'
  if (faults.length > 0) return { check, state: 'bad', found: faults.join('; '), mend: 'The fault says what the store refuses.' }
  if (!isFound || !isRemoved) {
    const found = isFound ? 'a value cannot be removed' : 'a value that was written is not there'
    return { check, state: 'bad', found, mend: 'Give the store more room, and look whether another program empties it.' }
  }
  return { check, state: 'good', found: `written, read and removed in ${milliseconds.toFixed(1)} ms` }
}

/** Stored answers that are looked at. */
const sample = 20

/** Whether stored answers can be read with the keys of encryption that are given. */
async function keyFits(cache: Cache): Promise<Finding> {
  const check = 'encryption'
  const engine = engineOf(cache)
  const { store, encryption, namespace, maxEntryBytes } = { ...engine?.settings }
  if (store?.keys === undefined) return { check, state: 'unknown', found: 'the store cannot list what is in it' }
  const codec = createEntryCodec({ compressAbove: 0, maxBodyBytes: maxEntryBytes ?? 0, encryption })
  let read = 0
  const reasons = new Map<string, number>()
  try {
    for await (const key of store.keys(entryPrefix(namespace ?? ''))) {
      if (read === sample) break
      const value = await store.get(key)
      if (value === undefined) continue
      read++
      try {
        codec.describe(value)
      } catch (error) {
        const reason = error instanceof EntryError ? error.message.replace(/^llmemo: |\.$/g, '') : nameOf(error)
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
      }
    }
  } catch (error) {
    return { check, state: 'bad', found: reasonOf(error), mend: 'Allow the cache to list its keys.' }
  }
  if (read === 0) return { check, state: 'unknown', found: 'nothing is stored in this namespace yet' }
  const named = encryption === undefined ? 'not encrypted, as it is set' : 'encrypted with a key that is given'
  if (reasons.size === 0) return { check, state: 'good', found: `${read} answers looked at are ${named}` }
  return {
    check,
    state: 'bad',
    found: [...reasons].map(([reason, count]) => `${count} of ${read} answers: ${reason}`).join('; '),
    mend: 'Give all processes the same CACHE_ENCRYPTION_KEYS, the former keys after the new one, or a namespace of their own.',
  }
}

function reasonOf(error: unknown): string {
  return LlmemoError.isInstance(error) ? error.message.replace(/^llmemo: |\.$/g, '') : nameOf(error)
}
