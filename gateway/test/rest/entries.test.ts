import { expect, it } from 'vitest'
import { guarded } from '../support/guarded.ts'
import { ask, post } from '../support/requests.ts'

it('lists heads without content, searches them, and shows content only to an admin', async () => {
  const { url, as, cache } = await guarded()
  const [acme, admin] = [await as('acme', 'read', 'write'), await as('acme', 'admin')]
  await post(`${url}/cache/store`, { prompt: 'the-question', response: 'the-answer', operation: 'chat', tags: ['red'] }, acme)
  await post(`${url}/cache/store`, { prompt: 'another', response: 'x', operation: 'summary' }, acme)
  await cache.flush()

  const list = await ask(`${url}/cache/entries?operation=chat`, { headers: acme })
  expect(list.body).toEqual({
    entries: [expect.objectContaining({ operation: 'chat', tenant: 'acme', tags: ['red'], key: expect.stringMatching(/^[\da-f]{64}$/) })],
    more: false,
  })
  expect(JSON.stringify(list.body)).not.toMatch(/the-question|the-answer/)
  expect((await ask(`${url}/cache/entries?search=RED`, { headers: acme })).body).toMatchObject({ entries: [{ operation: 'chat' }] })
  expect((await ask(`${url}/cache/entries?limit=1`, { headers: acme })).body).toMatchObject({ entries: [{}], more: true })
  expect((await ask(`${url}/cache/entries?limit=0`, { headers: acme })).status).toBe(400)
  expect((await ask(`${url}/cache/entries?nothing=1`, { headers: acme })).status).toBe(400)

  const { key } = Object(list.body).entries[0]
  expect((await ask(`${url}/cache/entries/${key}`, { headers: acme })).status).toBe(403)
  expect((await ask(`${url}/cache/entries/${key}`, { headers: admin })).body).toMatchObject({ key, content: '{"response":"the-answer"}' })
  expect((await ask(`${url}/cache/entries/${key}`, { headers: await as('other', 'admin') })).status).toBe(404)
})
