/**
 * The address that a request comes from.
 * @module
 */
import { isIP } from 'node:net'
import type { Connection } from '../context.ts'

/** What of a request tells its address and its caller. */
export interface Credentials {
  readonly headers: Headers
  readonly connection: Connection
}

/**
 * The address of the one that asks; `undefined` if the program itself does. `x-forwarded-for` counts only where a named proxy wrote it, and
 * of it only the last address, as everything before that is what the proxy was told.
 */
export function addressOf({ headers, connection }: Credentials, proxies: readonly string[]): string | undefined {
  const peer = peerOf(connection)
  if (peer === undefined || !proxies.includes(peer)) return peer
  const last = headers.get('x-forwarded-for')?.split(',').at(-1)?.trim() ?? ''
  return isIP(last) === 0 ? peer : plain(last)
}

/** The address of the peer of the connection. */
export function peerOf({ remoteAddress }: Connection): string | undefined {
  return remoteAddress === undefined ? undefined : plain(remoteAddress)
}

/** Whether this address is that of the machine itself. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^127(?:\.\d{1,3}){3}$/.test(address)
}

/** The address under which wrong keys are counted: of IPv6 its network of 64 bits, as one machine has all of that. */
export function countedAddress(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail = ''] = address.split('::', 2)
  const first = head === '' ? [] : head.split(':')
  const last = tail === '' ? [] : tail.split(':')
  const missing = address.includes('::') ? Math.max(0, 8 - first.length - last.length) : 0
  return [...first, ...Array.from({ length: missing }, () => '0'), ...last].slice(0, 4).join(':')
}

/** An IPv4 address in the clothes of IPv6 is that IPv4 address. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '')
}

/**
 * An address that is not this machine's, where only a platform reaches the program. One that is none stands for all that are unknown.
 */
export function outside(address: string | null | undefined): string {
  const isKnown = typeof address === 'string' && isIP(address) !== 0 && !isLoopback(plain(address))
  return isKnown ? address : '0.0.0.0'
}
