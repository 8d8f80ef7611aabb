import * as fc from 'fast-check'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { formatEvents, parseEvents } from '../../../src/base/server-sent-events.ts'
import { createEntryCodec } from '../../../src/codec/entry-codec.ts'
import type { Entry } from '../../../src/entry.ts'
import { entryKey } from '../../../src/key/store-keys.ts'
import { type RecordedCall, recordings, recordingsOf } from '../../../src/key/recordings.ts'
import { cassetteStore } from '../../../src/testing/index.ts'
import { entryHead } from '../../support/entry-head.ts'

const key = 'ab'.repeat(32)
const codec = createEntryCodec({ compressAbove: Infinity, maxBodyBytes: 2 ** 30 })
let folder = ''

beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'llmemo-cassettes-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function callOf(request: object, mode: RecordedCall['mode'] = 'record'): RecordedCall {
  const parts = {
    namespace: '',
    scope: '',
    provider: 'openai',
    origin: 'https://api.openai.com/v1',
    endpoint: 'chat.completions',
    headers: {},
    request,
    context: null,
    variant: 0,
  }
  return { key, storeKey: entryKey('', key), mode, operation: 'chat', labels: [], now: 5, parts, canonical: { longText: 1_000 } }
}

function entryOf(kind: Entry['head']['kind'], body: Entry['body']): Entry {
  return {
    head: entryHead({ key, namespace: '', model: 'm', kind, storedAt: 1_000, ttl: 1, latency: 3 }),
    body,
  }
}

/** The body as another process reads it that was written with this request. */
function throughFiles(kind: Entry['head']['kind'], body: Entry['body'], request: object = { model: 'm' }): Entry['body'] {
  const writing = cassetteStore(folder)
  recordingsOf(writing)?.noted(callOf(request))
  void writing.set(entryKey('', key), codec.encode(entryOf(kind, body)), { ttl: 1 })
  const reading = cassetteStore(folder)
  recordingsOf(reading)?.noted(callOf(request, 'replay'))
  const bytes = reading.get(entryKey('', key))
  if (!(bytes instanceof Uint8Array)) throw new Error('nothing was found')
  return codec.decode(bytes).body
}

const names = fc.constantFrom('$lines', '$file', '$bytes', '$$lines', 'before', '__proto__', 'constructor', 'content', 'text')
const texts = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('a\nb', '\n', 'a\r\nb\n', '[]', '"events": []'))
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    texts,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.array(fc.tuple(fc.oneof(names, texts), tie('json')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
}))

describe('a cassette', () => {
  it('V04 loses nothing of a JSON answer, whatever its names and texts look like', () => {
    fc.assert(
      fc.property(json, json, (answer, request) => {
        const body = JSON.stringify({ answer })
        expect(JSON.parse(String(throughFiles('json', body, { model: 'm', request })))).toEqual(JSON.parse(body))
      }),
      { numRuns: 150 },
    )
  })

  it('V04 loses nothing of a stream: events, their names, their order, data that is no JSON', () => {
    const data = fc.oneof(
      json.map((value) => JSON.stringify(value)),
      fc.constantFrom('[DONE]', '{"half":', '12345678901234567890', '"text"', 'null', '[1]'),
    )
    const event = fc.record({ event: fc.constantFrom('message_start', 'ping'), data }, { requiredKeys: ['data'] })
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 6 }), (events) => {
        expect(parseEvents(String(throughFiles('sse', formatEvents(events))))).toEqual(events)
      }),
      { numRuns: 150 },
    )
  })

  it('V04 keeps numbers that JavaScript cannot hold', () => {
    const body = '{"id": 12345678901234567890, "cost": 0.10000000000000000555}'
    expect(throughFiles('json', body)).toBe(body)
  })

  it('V04 bytes above 4 KB lie in a file beside, and so does a long text in base64', () => {
    const small = new Uint8Array(4_096).map((_, index) => index)
    const large = new Uint8Array(4_097).map((_, index) => index % 251)
    expect(throughFiles('bytes', small)).toEqual(small)
    expect(readdirSync(folder)).toHaveLength(1)
    expect(throughFiles('bytes', large)).toEqual(large)
    const beside = readdirSync(folder).filter((name) => name.endsWith('.bin'))
    expect(beside.map((name) => readFileSync(join(folder, name)))).toEqual([Buffer.from(large)])
    const image = Buffer.from(large).toString('base64')
    const body = JSON.stringify({ data: [{ b64_json: image }, { url: `data:image/png;base64,${image}` }] })
    expect(throughFiles('json', body, { image: `data:image/png;base64,${image}` })).toBe(body)
    const name = readdirSync(folder).find((each) => each.endsWith('.json')) ?? ''
    expect(statSync(join(folder, name)).size).toBeLessThan(2_000)
  })

  it('V04 an answer that replaces another takes its files beside away', () => {
    throughFiles('bytes', new Uint8Array(9_000).fill(1))
    throughFiles('bytes', new Uint8Array(9_000).fill(2))
    expect(readdirSync(folder)).toHaveLength(2)
    throughFiles('json', '{}')
    expect(readdirSync(folder)).toHaveLength(1)
  })

  it('V06 an answer that was edited by hand is the one that is replayed', () => {
    throughFiles('json', '{"text":"old"}')
    const [name = ''] = readdirSync(folder)
    writeFileSync(join(folder, name), readFileSync(join(folder, name), 'utf8').replace('old', 'new'))
    const store = cassetteStore(folder)
    recordingsOf(store)?.noted(callOf({ model: 'm' }, 'replay'))
    const bytes = store.get(entryKey('', key))
    expect(bytes instanceof Uint8Array && codec.decode(bytes).body).toBe('{"text":"new"}')
  })

  it.each([
    ['no JSON', '{'],
    ['another form', '[]'],
    ['no answer', '{"request":{},"call":{}}'],
    ['a wrong answer', undefined],
  ])('V06 a damaged file is named as such: %s', (_, text) => {
    throughFiles('json', '{}')
    const [name = ''] = readdirSync(folder)
    const path = join(folder, name)
    writeFileSync(path, text ?? readFileSync(path, 'utf8').replace('"body"', '"nobody"'))
    const store = cassetteStore(folder)
    recordingsOf(store)?.noted(callOf({ model: 'm' }, 'replay'))
    expect(() => store.get(entryKey('', key))).toThrow('cassette')
    expect(recordingsOf(store)?.whyMissing([key])).toContain('cassette')
    expect(recordingsOf(store)?.whyMissing([key])).toContain(name)
  })

  it('V02 in replay nothing is written, and no other mode gives a reason', () => {
    const store = cassetteStore(folder)
    recordingsOf(store)?.noted(callOf({}, 'replay'))
    void store.set(entryKey('', key), codec.encode(entryOf('json', '{}')), { ttl: 1 })
    expect(readdirSync(folder)).toEqual([])
    recordingsOf(store)?.noted(callOf({}, 'auto'))
    expect(recordingsOf(store)?.whyMissing([key])).toBeUndefined()
    expect(recordings in store).toBe(true)
  })
})
