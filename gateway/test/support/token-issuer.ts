import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { onTestFinished } from 'vitest'

/** An issuer of tokens, whose public keys are at a real address. */
export interface TokenIssuer {
  readonly settings: { readonly jwks: string; readonly issuer: string; readonly audience: string }
  /** How often its public keys were fetched. */
  fetches(): number
  /** A token; `claims` replace the good ones, and `undefined` takes one away. */
  token(claims?: Readonly<Record<string, unknown>>, key?: CryptoKey): Promise<string>
  /** The text of the public key, as an attacker has it. */
  readonly publicText: string
}

const issuer = 'https://issuer.example'
const audience = 'llmemo'

/** Starts an issuer, until the test ends. */
export async function tokenIssuer(): Promise<TokenIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }] })
  let fetches = 0
  const server = createServer((_request, response) => {
    fetches++
    response.setHeader('content-type', 'application/json').end(keys)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens at a port
  const { port } = server.address() as AddressInfo
  return {
    settings: { jwks: `http://127.0.0.1:${port}/keys`, issuer, audience },
    fetches: () => fetches,
    publicText: keys,
    token(claims = {}, key = privateKey) {
      const now = Math.floor(Date.now() / 1_000)
      const good: JWTPayload = {
        iss: issuer,
        aud: audience,
        sub: 'ada@example.com',
        exp: now + 60,
        tenant: 'acme',
        roles: ['read', 'write'],
      }
      const all = Object.fromEntries(Object.entries({ ...good, ...claims }).filter(([, value]) => value !== undefined))
      return new SignJWT(all).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(key)
    },
  }
}
