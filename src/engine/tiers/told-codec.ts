/**
 * A codec that tells how long encoding took, and what compression saved.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { bodySizes, type EntryCodec } from '../../codec/entry-codec.ts'
import type { EventEmitter } from '../../events.ts'

/** `codec`, whose encoding is told as events while anything listens to them. */
export function toldCodec(codec: EntryCodec, events: EventEmitter, clock: Clock): EntryCodec {
  return {
    ...codec,
    encode(entry) {
      if (!events.isHeard('encode')) return codec.encode(entry)
      const begun = clock.monotonic()
      const encoded = codec.encode(entry)
      events.emit('encode', { ...bodySizes(encoded), milliseconds: clock.monotonic() - begun })
      return encoded
    },
  }
}
