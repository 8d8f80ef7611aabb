/**
 * The form of an API key: `llm_`, 32 random bytes in base 62, and a checksum, by which a mistyped or invented key is known without a look
 * into the store, and a leaked one is found in texts.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const prefix = 'llm_'
/** Characters that 32 bytes take. */
const secretLength = 43
/** Characters that the checksum of 32 bits takes. */
const checksumLength = 6

/** A new key. @param bytes 32 of them @default random ones */
export function makeApiKey(bytes: Uint8Array = randomBytes(32)): string {
  const secret = base62(BigInt(`0x${Buffer.from(bytes).toString('hex')}`), secretLength)
  return prefix + secret + checksum(secret)
}

/** Whether a text claims to be a key of ours. */
export function claimsToBeApiKey(text: string): boolean {
  return text.startsWith(prefix)
}

/** Whether a text has the form of a key, and the right checksum. */
export function isApiKey(text: string): boolean {
  if (text.length !== prefix.length + secretLength + checksumLength || !/^llm_[0-9A-Za-z]+$/.test(text)) return false
  const secret = text.slice(prefix.length, -checksumLength)
  return checksum(secret) === text.slice(-checksumLength)
}

/** What is kept of a key: its SHA-256, in hex. The key has 256 random bits, so that no slower digest is needed. */
export function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

function checksum(secret: string): string {
  return base62(BigInt(crc32(secret)), checksumLength)
}

function base62(number: bigint, length: number): string {
  let text = ''
  for (let rest = number; rest > 0n; rest /= 62n) text = digits.charAt(Number(rest % 62n)) + text
  return text.padStart(length, '0')
}
