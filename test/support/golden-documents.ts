/**
 * What lies in a database of documents once a store has written each kind of value into it: `test/golden/documents`.
 * @module
 */
import type { Store } from '../../src/store.ts'
import { cosmosStore } from '../../src/stores/cosmos/store.ts'
import { firestoreStore } from '../../src/stores/firestore/store.ts'
import type { ObjectStore, ObjectStoreOverflow } from '../../src/stores/objects/objects.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { startCosmos } from './cosmos-server.ts'
import { startFirestore } from './firestore-server.ts'

/** Documents by their ids, as the REST API has them, and objects by their names. */
export interface DocumentDump {
  readonly documents: Readonly<Record<string, unknown>>
  /** In base64. */
  readonly objects: Readonly<Record<string, string>>
}

/** A database with a store over it. */
interface Opened {
  readonly store: Store
  /** The same, with large values as objects. */
  readonly withObjects: Store
  dump(): DocumentDump
  close(): Promise<void>
}

/** When the documents were written. */
const now = 1_750_000_000_000
const hour = { ttl: 3_600_000 }

/** Opens a database that has what a dump has. */
export type OpenDatabase = (dump?: DocumentDump) => Promise<Opened>

/** A place for objects in this process. */
function objectsOf(dump: DocumentDump | undefined): { readonly objects: ObjectStore; readonly map: Map<string, string> } {
  const map = new Map(Object.entries(dump?.objects ?? {}))
  return {
    map,
    objects: {
      name: 'the objects of a test',
      async put(name, bytes) {
        map.set(name, Buffer.from(bytes).toString('base64'))
        return 'a-tag'
      },
      async get({ name, tag }) {
        const found = map.get(name)
        return found === undefined || tag !== 'a-tag' ? undefined : new Uint8Array(Buffer.from(found, 'base64'))
      },
      async delete(name) {
        map.delete(name)
      },
    },
  }
}

async function openCosmos(dump?: DocumentDump): Promise<Opened> {
  const clock = new ManualClock(now)
  const server = await startCosmos(clock)
  for (const [id, document] of Object.entries(dump?.documents ?? {}))
    server.items.set(id, { ...Object(document), _etag: '"0"', _ts: now / 1_000 })
  const { map, objects } = objectsOf(dump)
  const open = (overflow?: ObjectStoreOverflow): Store =>
    cosmosStore({ container: server.container(), clock, timeout: 60_000, ...(overflow && { overflow }) })
  return {
    store: open(),
    withObjects: open({ objects, above: 100 }),
    dump: () => ({
      // What Cosmos DB adds by itself is left out.
      documents: sorted([...server.items].map(([id, { _etag, _ts, ...document }]) => [id, document])),
      objects: sorted([...map]),
    }),
    close: () => server.close(),
  }
}

async function openFirestore(dump?: DocumentDump): Promise<Opened> {
  const clock = new ManualClock(now)
  const server = await startFirestore()
  for (const [id, fields] of Object.entries(dump?.documents ?? {}))
    server.documents.set(id, { fields: Object(fields), updateTime: '2025-06-15T15:06:40.000000Z' })
  const { map, objects } = objectsOf(dump)
  const open = (overflow?: ObjectStoreOverflow): Store =>
    firestoreStore({ client: server.client(), clock, timeout: 60_000, ...(overflow && { overflow }) })
  return {
    store: open(),
    withObjects: open({ objects, above: 100 }),
    dump: () => ({ documents: sorted([...server.documents].map(([id, { fields }]) => [id, fields])), objects: sorted([...map]) }),
    close: () => server.close(),
  }
}

/** The databases by the names of their files. */
export const goldenDatabases: Readonly<Record<string, OpenDatabase>> = { cosmos: openCosmos, firestore: openFirestore }

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
/** Too large for one document of either database, and short in a file, as all of it is the same. */
const large = new Uint8Array(1_500_001)

/** What each key has. */
export const goldenValues: Readonly<Record<string, Uint8Array>> = {
  'llmemo/golden:v1:small': bytes(0, 1, 254, 255),
  'llmemo/golden:v1:empty': bytes(),
  'llmemo/golden:v1:Grüße 👋': bytes(1),
  'llmemo/golden:v1:large': large,
  'llmemo/golden:v1:object': new Uint8Array(101),
  'llmemo/golden:mark:first': new TextEncoder().encode('f-00000000-0000-4000-8000-000000000000'),
  'llmemo/golden:lease:taken': new TextEncoder().encode('a token'),
}

/** The sums that lie beside them. */
export const goldenSums = { key: 'llmemo/golden:savings:2025-06-15:0', sums: { hits: 3, microdollars: 12_345 } }

function written(name: string): { readonly key: string; readonly value: Uint8Array; readonly ttl: number } {
  const key = `llmemo/golden:${name}`
  return { key, value: goldenValues[key] ?? bytes(), ttl: hour.ttl }
}

/** Writes each kind of value into an empty database. @returns what lies there then */
export async function documentsOf(open: OpenDatabase): Promise<DocumentDump> {
  const opened = await open()
  const { store, withObjects } = opened
  const [small, object, first] = [written('v1:small'), written('v1:object'), written('mark:first')]
  await store.set(small.key, small.value, hour)
  await store.setMany?.(['v1:empty', 'v1:Grüße 👋', 'v1:large'].map(written))
  await withObjects.set(object.key, object.value, hour)
  await store.setIfAbsent?.(first.key, first.value, hour)
  await store.lease?.('llmemo/golden:lease:taken', 'a token', hour)
  await store.add?.(goldenSums.key, goldenSums.sums, hour)
  const dump = opened.dump()
  await opened.close()
  return dump
}

function sorted<Value>(entries: readonly (readonly [string, Value])[]): Record<string, Value> {
  return Object.fromEntries(entries.toSorted(([first], [second]) => (first < second ? -1 : 1)))
}

/** The text of a dump, in which long runs of the same letter are short. */
export function textOfDump(dump: DocumentDump): string {
  return `${JSON.stringify(dump, undefined, 2).replaceAll(/A{100,}/g, (run) => `(A × ${run.length})`)}\n`
}

/** The dump in a text. */
export function dumpIn(text: string): DocumentDump {
  const dump: DocumentDump = JSON.parse(text.replaceAll(/\(A × (\d+)\)/g, (_, count: string) => 'A'.repeat(Number(count))))
  return dump
}

/** A dump without the random parts of its names. */
export function withoutRandom(dump: DocumentDump): DocumentDump {
  const id = /[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}/g
  return dumpIn(textOfDump(dump).replaceAll(id, (found) => (found.startsWith('00000000') ? found : 'random')))
}
