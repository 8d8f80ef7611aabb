/**
 * An answer as one keeps it oneself: its JSON, deflated when that pays.
 * @module
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'

/** Bodies of so many bytes and more are deflated, as one does who keeps a store small. llmemo does so from 4,096 bytes on. */
const worthDeflating = 1_024

/** The bytes to store. */
export function pack(json: string): Buffer {
  return json.length < worthDeflating ? Buffer.from(json) : deflateRawSync(json)
}

/** The answer in such bytes. JSON begins with a brace, which no deflated body of ours does. */
export function unpack(stored: Uint8Array): unknown {
  const text = stored[0] === 0x7b ? Buffer.from(stored).toString() : inflateRawSync(stored).toString()
  const parsed: unknown = JSON.parse(text)
  return parsed
}
