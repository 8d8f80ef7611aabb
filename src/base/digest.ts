/**
 * SHA-256 of text or bytes.
 * @module
 */
import type * as crypto from 'node:crypto'
import { cryptoIfThere } from './node-crypto.ts'
import { plainSha256 } from './plain-sha256.ts'
import { latin1Of } from './text-bytes.ts'

/** The SHA-256 of bytes, or of text in UTF-8, as 64 hex digits. */
export function sha256(data: string | Uint8Array): string {
  hash ??= hashOfRuntime()
  return hash === undefined
    ? hexOf(plainSha256(typeof data === 'string' ? new TextEncoder().encode(data) : data))
    : hash('sha256', data, 'hex')
}

/** The SHA-256 of bytes, as 32 characters of one byte each: the form that is made and compared fastest. */
export function sha256Latin1(data: Uint8Array): string {
  hash ??= hashOfRuntime()
  return hash === undefined ? latin1Of(plainSha256(data)) : hash('sha256', data, 'binary')
}

let hash: typeof crypto.hash | undefined

/** The function of `node:crypto` that makes a digest in one call. Where it is missing, the digest is made in JavaScript. */
function hashOfRuntime(): typeof crypto.hash | undefined {
  return cryptoIfThere()?.hash
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
