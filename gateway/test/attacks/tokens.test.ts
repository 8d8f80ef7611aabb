import { createHmac } from 'node:crypto'
import { generateKeyPair } from 'jose'
import { expect, it } from 'vitest'
import { guarded } from '../support/guarded.ts'
import { ask } from '../support/requests.ts'
import { tokenIssuer } from '../support/token-issuer.ts'

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

it('takes no token but a good one', async () => {
  const issuer = await tokenIssuer()
  const { url, lines } = await guarded({ access: { jwt: issuer.settings, wrongKeys: '1000/m' } })
  const now = Math.floor(Date.now() / 1_000)
  const good = await issuer.token()
  const [, payload = '', signature = ''] = good.split('.')
  const stranger = (await generateKeyPair('RS256')).privateKey
  const confused = `${encoded({ alg: 'HS256', kid: 'one' })}.${payload}`
  const { keys } = JSON.parse(issuer.publicText)
  const bad: Readonly<Record<string, string>> = {
    expired: await issuer.token({ exp: now - 60 }),
    'without exp': await issuer.token({ exp: undefined }),
    'exp that is a text': await issuer.token({ exp: String(now + 60) }),
    'not yet': await issuer.token({ nbf: now + 600 }),
    'for another audience': await issuer.token({ aud: 'other' }),
    'without audience': await issuer.token({ aud: undefined }),
    'of another issuer': await issuer.token({ iss: 'https://evil.example' }),
    'without issuer': await issuer.token({ iss: undefined }),
    'signed by another key': await issuer.token({}, stranger),
    none: `${encoded({ alg: 'none' })}.${payload}.`,
    'None, with the signature': `${encoded({ alg: 'None', kid: 'one' })}.${payload}.${signature}`,
    'key confusion': `${confused}.${createHmac('sha256', issuer.publicText).update(confused).digest('base64url')}`,
    'key confusion by the modulus': `${confused}.${createHmac('sha256', Buffer.from(keys[0].n, 'base64url')).update(confused).digest('base64url')}`,
    'other payload': `${good.split('.')[0]}.${encoded({ ...JSON.parse(Buffer.from(payload, 'base64url').toString()), tenant: 'other' })}.${signature}`,
    'own key in the head': `${encoded({ alg: 'RS256', jwk: keys[0], jku: 'http://127.0.0.1:1/' })}.${payload}.AAAA`,
    'two parts': `${good.split('.')[0]}.${payload}`,
    'no JSON': 'a.b.c',
  }
  for (const [name, token] of Object.entries(bad)) {
    for (const headers of [{ authorization: `Bearer ${token}` }, { 'x-llmemo-api-key': token }]) {
      const { status, body } = await ask(`${url}/cache/stats`, { headers })
      expect([name, status]).toEqual([name, 401])
      expect(JSON.stringify(body)).not.toContain(token)
    }
  }
  for (const claims of [
    { tenant: undefined },
    { tenant: 'a:b' },
    { tenant: ['acme'] },
    { tenant: '' },
    { roles: undefined },
    { roles: 'Admin superuser' },
  ]) {
    const headers = { authorization: `Bearer ${await issuer.token(claims)}` }
    expect([claims, (await ask(`${url}/cache/stats`, { headers })).status]).toEqual([claims, 403])
  }
  expect(lines.filter(({ event, reason }) => event === 'refused' && reason === 'wrong-credential').length).toBeGreaterThan(15)
  expect(JSON.stringify(lines)).not.toMatch(/eyJ|ada@example/)
  // A key id that is unknown makes it fetch the keys again once, and not for every token.
  expect(issuer.fetches()).toBeLessThanOrEqual(2)
  expect((await ask(`${url}/cache/stats`, { headers: { authorization: `Bearer ${good}` } })).status).toBe(200)
})
