/**
 * What may ask a gateway for which no key was made: this machine, and no web page of another site.
 * @module
 */
import { type Credentials, isLoopback, peerOf } from './address.ts'
import { Refused } from './refused.ts'

/** @throws {Refused} for a request from elsewhere. One without a connection is the program's own. */
export function assertLocal({ headers, connection }: Credentials, url: string, origins: readonly string[]): void {
  const peer = peerOf(connection)
  if (peer === undefined) return
  const { hostname, origin: ownOrigin } = new URL(url)
  // A page may give its own name the address of this machine. Its requests then have that name as their host.
  const isLocalName = hostname === 'localhost' || hostname.endsWith('.localhost') || isLoopback(hostname.replace(/^\[|\]$/g, ''))
  if (!isLoopback(peer) || !isLocalName) {
    throw new Refused({
      status: 403,
      reason: 'not-this-machine',
      detail: 'Without a key, the gateway answers this machine only. Make one: llmemo-gateway keys create --role admin.',
    })
  }
  const origin = headers.get('origin')
  const site = headers.get('sec-fetch-site')
  const isForeign = origin === null ? site === 'cross-site' || site === 'same-site' : origin !== ownOrigin && !origins.includes(origin)
  if (isForeign) {
    throw new Refused({
      status: 403,
      reason: 'foreign-page',
      detail: 'Without a key, pages of other sites may not ask. Name them in access.origins.',
    })
  }
}
