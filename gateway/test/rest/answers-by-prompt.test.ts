import { createCache } from 'llmemo'
import { sqliteStore } from 'llmemo/sqlite'
import { expect, it } from 'vitest'
import { listening } from '../support/listening.ts'
import { post } from '../support/requests.ts'
import { databasePath } from '../support/database-path.ts'

it('keeps an answer in SQLite, and another gateway over the same file finds it', async () => {
  const path = databasePath()
  const first = createCache({ store: sqliteStore(path) })
  const { url } = await listening({ cache: first })
  const asked = { prompt: 'What is a cache?', context: { language: 'en' }, operation: 'chat', options: { temperature: 0 } }

  expect((await post(`${url}/cache/query`, asked)).status).toBe(404)
  const stored = await post(`${url}/cache/store`, { ...asked, response: { text: 'A store.' }, ttl: 60, tags: ['words'] })
  expect(stored.status).toBe(200)
  expect(stored.body).toEqual({ cacheKey: expect.stringMatching(/^[\da-f]{64}$/), message: 'Stored.' })
  await first.close()

  const second = createCache({ store: sqliteStore(path) })
  const { url: other } = await listening({ cache: second })
  const found = await post(`${other}/cache/query`, asked)
  expect(found.status).toBe(200)
  expect(found.body).toEqual({
    prompt: asked.prompt,
    response: { text: 'A store.' },
    context: asked.context,
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    cacheType: 'exact',
    cached: true,
    cacheSource: 'sqlite',
    cacheAge: expect.any(Number),
    cacheKey: Reflect.get(Object(stored.body), 'cacheKey'),
  })
  expect((await post(`${other}/cache/query`, { ...asked, options: { temperature: 1 } })).status).toBe(404)
  await second.close()
})

it('meets what the library stored, and the reverse', async () => {
  const cache = createCache()
  const { url } = await listening({ cache })
  await cache.store({ prompt: 'a', operation: 'chat' }, 'from the library')
  expect((await post(`${url}/cache/query`, { prompt: 'a', operation: 'chat' })).body).toMatchObject({ response: 'from the library' })
  await post(`${url}/cache/store`, { prompt: 'b', response: ['from the gateway'] })
  expect(await cache.lookup({ prompt: 'b' })).toMatchObject({ answer: ['from the gateway'] })
})

it('says what is wrong with a request, and nothing of what stands there', async () => {
  const { url } = await listening()
  const wrong = await post(`${url}/cache/query`, { prompt: 7, secret: 'sk-secret', options: 'sk-secret' })
  expect(wrong.status).toBe(400)
  expect(JSON.stringify(wrong.body)).toContain('/prompt')
  expect(JSON.stringify(wrong.body)).not.toContain('sk-secret')

  const problem = await post(`${url}/cache/query`, {}, { accept: 'application/problem+json' })
  expect(problem.type).toBe('application/problem+json')
  expect(problem.body).toMatchObject({ type: 'about:blank', title: 'Bad Request', status: 400, errors: [{ pointer: '/prompt' }] })
})

it('says when an answer cannot be stored', async () => {
  const { url } = await listening()
  expect(await post(`${url}/cache/store`, { prompt: 'a', response: '' })).toMatchObject({
    status: 422,
    body: { error: expect.stringContaining('empty') },
  })
  expect((await post(`${url}/cache/store`, { prompt: 'a' })).status).toBe(400)
})

it('explains a key, and the difference between two requests', async () => {
  const cache = createCache()
  const { url } = await listening({ cache })
  const request = { prompt: 'a', options: { temperature: 0 } }
  const alone = await post(`${url}/cache/explain`, { request })
  expect(alone.body).toMatchObject({ key: cache.explain(request).key, ttl: null, parts: { scope: expect.any(String) } })
  await post(`${url}/cache/store`, { ...request, response: 'b', ttl: 60 })
  expect((await post(`${url}/cache/explain`, { request })).body).toMatchObject({ ttl: 60 })
  const both = await post(`${url}/cache/explain`, { request, other: { ...request, options: { temperature: 1 } } })
  expect(both.body).toEqual({ same: false, path: 'request.options.temperature', first: '0', second: '1' })
  const chat = { endpoint: 'chat.completions', body: { model: 'gpt-5', messages: [{ role: 'user', content: 'a' }] } }
  expect((await post(`${url}/cache/explain`, { request: chat })).body).toMatchObject({ key: cache.explain(chat).key })
})
