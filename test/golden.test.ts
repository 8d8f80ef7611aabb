/**
 * Entries of format version 1 from before labels had generations: still read, and clean misses, as a store says nothing of their labels.
 * Entries that are served are in `golden-stores.test.ts`.
 *
 * THE FILES IN test/golden MUST NEVER BE REWRITTEN. They stand for what lies in the stores of those who use llmemo. When a test here
 * fails, the code is to be mended, or the format gets a new version and new files beside these.
 * @module
 */
import { createHmac } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createEntryCodec } from '../src/codec/entry-codec.ts'
import { sha256 } from '../src/base/digest.ts'
import { documentedKey, events, goldenCache, type GoldenCall, goldenCalls, sound, storedAt } from './support/golden-calls.ts'
import { ScriptedStore } from './support/scripted-store.ts'

const credentialScope = '989f7c5da196bf3eecc530c8f047bf9558041e7314d3b419db3b5ec999e9f64d'

/** The digest that hides a name, by the documented key: RFC 5869 gives the key of the digest. */
function hiddenByHand(name: string): string {
  const extracted = createHmac('sha256', Buffer.alloc(32)).update(documentedKey).digest()
  const key = createHmac('sha256', extracted).update('llmemo digests 1').update(Buffer.of(1)).digest()
  const lengths = ['name', name].map((part) => [Buffer.from(part.length.toString(16).padStart(8, '0'), 'hex'), Buffer.from(part)])
  return createHmac('sha256', key).update(Buffer.concat(lengths.flat())).digest('hex')
}

/** What each file is, and where its entry lay. */
const files: Readonly<Record<string, { readonly storeKey: string; readonly digest: string; readonly today?: string }>> = {
  'json-raw': {
    storeKey: 'llmemo/golden:v1:e9d28e642f96038fe89652a8591e1afae771a1e98caee1f1a1b1c082d981c28c',
    digest: 'df3b3d28689e4801eee4c2a59cb9903ef46e2b7fa4db2b55167b46476dc8075f',
  },
  'sse-deflate': {
    storeKey: 'llmemo/golden:v1:c769d0286207010e766fad3f4ec6bf3ce4b1ab2f58ed6c133f7e0d5ea81b87c6',
    digest: '0c85ca7fac0b4063162b0c5b77c3497cb1c7b0dae57073f3e8b69361fc207443',
  },
  bytes: {
    storeKey: 'llmemo/golden:v1:65e4f468cbb62ddd51d5bbf2175caacc8a61d83d3c0209f8305bf1d0145f7411',
    digest: '86f1885cf10f9eb5f30dbd366e47728332c81b3cb44440d53fbf83f42accdc70',
  },
  'json-encrypted': {
    storeKey: 'llmemo/golden:v1:e9d28e642f96038fe89652a8591e1afae771a1e98caee1f1a1b1c082d981c28c',
    digest: '591a4c34077b5433e2f8638ee4375bd82bd45d5364cfc5530aec14887a12970e',
    // The name is hidden by now: HMAC-SHA-256 over the lengths and texts of the purpose, `name`, and the name that is here as storeKey.
    today: `llmemo/golden:v1:${hiddenByHand('llmemo/golden:v1:e9d28e642f96038fe89652a8591e1afae771a1e98caee1f1a1b1c082d981c28c')}`,
  },
  value: { storeKey: 'llmemo/golden:kv::user:1', digest: 'c7ac330d4e8fb2519d9375390bfd896cf785ea9fd5d7122d685ba0b5db8b06b7' },
}

const text = (content: string, tokens: number) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_750_000_000,
  model: 'gpt-5-mini-2025-08-07',
  choices: [{ index: 0, message: { role: 'assistant', content, refusal: null }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 9, completion_tokens: tokens, total_tokens: 9 + tokens },
})

const chat = {
  provider: 'openai',
  endpoint: 'chat.completions',
  operation: 'chat',
  model: 'gpt-5-mini-2025-08-07',
  scope: 'tenant',
  storedAt,
  ttl: 86_400_000,
  stale: 3_600_000,
  status: 200,
}
const chatLabels = { all: '', 'scope:tenant': '', 'operation:chat': '', 'model:gpt-5-mini': '' }
const greeting = {
  head: {
    ...chat,
    kind: 'json',
    tags: ['doc:42'],
    generations: { ...chatLabels, 'tag:doc:42': '' },
    headers: { 'content-type': 'application/json' },
    usage: { input: 9, output: 12 },
  },
  body: JSON.stringify(text('Guten Tag 👋', 12)),
}

/** What the codec gives for each. */
const entries: Readonly<Record<string, object>> = {
  'json-raw': greeting,
  'json-encrypted': greeting,
  'sse-deflate': { head: { ...chat, kind: 'sse', tags: [], generations: chatLabels, usage: { input: 9, output: 80 } }, body: events },
  bytes: { head: { endpoint: 'audio.speech', operation: 'speech', scope: credentialScope, kind: 'bytes', model: 'tts-1' }, body: sound },
  value: { head: { key: 'user:1', scope: '', endpoint: '', operation: 'value', kind: 'json', ttl: 604_800_000, stale: 0 } },
}

function bytesOf(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`golden/${name}.bin`, import.meta.url)))
}

describe.each(Object.entries(goldenCalls))('B06 the golden entry %s', (name, call: GoldenCall) => {
  const { storeKey, digest, today = storeKey }: (typeof files)[string] = files[name] ?? { storeKey: '', digest: '' }

  it('was never rewritten', () => {
    expect(sha256(bytesOf(name))).toBe(digest)
  })

  it('is read by the codec, member by member', () => {
    const encryption =
      name === 'json-encrypted' ? { keys: { 'documented-test-key': documentedKey }, current: 'documented-test-key' } : undefined
    const { head, body } = createEntryCodec({ compressAbove: 1_024, maxBodyBytes: 8 * 2 ** 20, encryption }).decode(bytesOf(name))
    // A record of a head has no prototype, which no literal can have.
    expect({ head: JSON.parse(JSON.stringify(head)), body }).toMatchObject(entries[name] ?? {})
    expect(head.key).toBe(storeKey.replace(/^llmemo\/golden:(?:v1|kv:):/, ''))
  })

  it('is a clean miss for a cache, as its labels have no generation in the store', async () => {
    const store = new ScriptedStore()
    store.map.set(storeKey, bytesOf(name))
    const { cache } = goldenCache(call.options, store)
    expect(await call.ask(cache)).toBeUndefined()
    expect(cache.stats().errors).toBe(0)
  })

  it('would be written at the same place today', async () => {
    const store = new ScriptedStore()
    const { cache } = goldenCache(call.options, store)
    await call.fill(cache)
    await cache.flush()
    expect(store.entryKeys()).toEqual([today])
  })
})

describe('the golden entries', () => {
  it('are as many as there are files', () => {
    const found = readdirSync(new URL('golden/', import.meta.url)).filter((name) => name.endsWith('.bin'))
    expect(found.toSorted()).toEqual(
      Object.keys(files)
        .map((name) => `${name}.bin`)
        .toSorted(),
    )
  })
})
