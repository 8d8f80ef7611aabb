/**
 * SHA-256 of text or bytes.
 * @module
 */
import { nodeCrypto } from './node-crypto.ts'

/** The SHA-256 of bytes, or of text in UTF-8, as 64 hex digits. */
export function sha256(data: string | Uint8Array): string {
  return nodeCrypto().hash('sha256', data, 'hex')
}
