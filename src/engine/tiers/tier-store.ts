/**
 * The store as the tiers use it: the user's own, or with encryption one whose names, generations and messages are hidden or signed.
 * @module
 */
import { readEncryption } from '../../codec/encryption.ts'
import type { EntryCodec } from '../../codec/entry-codec.ts'
import type { EntryHead } from '../../entry.ts'
import type { EventEmitter } from '../../events.ts'
import { entryKey, generationKey, valuePrefix } from '../../key/store-keys.ts'
import type { Store } from '../../store.ts'
import { generationBytes, newGeneration } from '../invalidation/generation.ts'
import { generationTtl } from '../invalidation/invalidations.ts'
import { everything } from '../invalidation/labels.ts'
import type { Settings } from '../settings/options.ts'
import { sealedStore } from '../shared-store/sealed-store.ts'

/** What the store of the tiers is made of. */
export interface TierStoreOptions {
  readonly settings: Pick<Settings, 'store' | 'encryption' | 'clock' | 'namespace'>
  readonly codec: EntryCodec
  readonly events: EventEmitter
}

/** The store as the tiers use it; `undefined` if there is none. */
export function tierStore({ settings, codec, events }: TierStoreOptions): Store | undefined {
  const { store, encryption, clock, namespace } = settings
  if (store === undefined || encryption === undefined) return store
  return sealedStore(store, {
    encryption: readEncryption('encryption', encryption),
    clock,
    signKey: generationKey(namespace, everything),
    newGeneration: () => generationBytes(newGeneration()),
    generationTtl,
    nameIn: (value) => nameIn(codec, value),
    onFault: (doing, error) => events.emit('error', { doing, error }),
  })
}

/** Where an entry with this head lies. */
export function placeOf({ namespace = '', scope, key, endpoint }: EntryHead): string {
  return endpoint === '' ? valuePrefix(namespace, scope) + key : entryKey(namespace, key)
}

/** Whether an entry with this head belongs at this key. An older one, which does not say its namespace, does so by its own key. */
export function liesAt(storeKey: string, head: EntryHead): boolean {
  return head.namespace === undefined ? storeKey.endsWith(head.key) : placeOf(head) === storeKey
}

/** Where this entry lies, by its head. */
function nameIn(codec: EntryCodec, value: Uint8Array): string | undefined {
  try {
    return placeOf(codec.describe(value).head)
  } catch {
    return undefined
  }
}
