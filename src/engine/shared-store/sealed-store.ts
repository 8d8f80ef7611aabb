/**
 * A store for a cache with encryption. Who can read and write it has no key: names tell nothing, generations and editions are signed, and
 * messages are sealed, and so are the names of sums. The contents of entries are sealed before they come here.
 * @module
 */
import { closeEnvelope, openEnvelope } from '../../codec/envelope.ts'
import type { Encryption } from '../../codec/encryption.ts'
import type { ChannelListener, Store } from '../../store.ts'
import { SealedSums } from './sealed-sums.ts'
import { type SealedStoreOptions, SealedValues } from './sealed-values.ts'

/** A store with the same capabilities as `store`, which keeps in it what only holders of the key can make. */
export function sealedStore(store: Store, options: SealedStoreOptions): Store {
  const { encryption } = options
  const values = new SealedValues(store, options)
  const sums = new SealedSums(store, encryption)
  return {
    name: store.name,
    get: async (key, readOptions) => (await values.read([key], readOptions))[0],
    set: (key, value, { ttl }) => values.write([{ key, value, ttl }]),
    setIfAbsent: (key, value, { ttl }) => values.writeIfAbsent({ key, value, ttl }),
    delete: (key) => values.delete(key),
    ...(store.getMany && { getMany: (keys, readOptions) => values.read(keys, readOptions) }),
    ...(store.setMany && { setMany: (writes) => values.write(writes) }),
    ...(store.keys && { keys: (prefix) => values.list(prefix) }),
    ...(store.publish && {
      publish: (channel, message) => {
        const sealed = closeEnvelope(encryption, message, { purpose: 'message', place: channel })
        return store.publish?.(channel, Buffer.from(sealed).toString('base64'))
      },
    }),
    ...(store.subscribe && {
      subscribe: (channel, listener) => store.subscribe?.(channel, opened(encryption, channel, listener)),
    }),
    ...(store.lease && { lease: (key, token, leaseOptions) => store.lease?.(values.leaseName(key), token, leaseOptions) ?? token }),
    ...(store.release && { release: (key, token) => store.release?.(values.leaseName(key), token) }),
    ...(store.add && { add: (key, amounts, addOptions) => sums.add(key, amounts, addOptions) }),
    onReport: (report) => store.onReport?.(report),
    close: () => store.close?.(),
  }
}

/** Hands on what a holder of the key has sent, and nothing else. */
function opened(encryption: Encryption, channel: string, listener: ChannelListener): ChannelListener {
  return {
    heard(message) {
      const opened = openEnvelope(encryption, Buffer.from(message, 'base64'), { purpose: 'message', place: channel })
      if (opened !== undefined) listener.heard(opened)
    },
    missed: () => listener.missed(),
  }
}
