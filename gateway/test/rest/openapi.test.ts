import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, it } from 'vitest'
import { listening } from '../support/listening.ts'
import { ask } from '../support/requests.ts'

it('describes itself in valid OpenAPI 3.1, with every route that there is', async () => {
  const { url } = await listening()
  const { body } = await ask(`${url}/openapi.json`)
  const checked = await new Validator().validate(Object(body))
  expect(checked).toEqual({ valid: true })
  expect(Object.keys(Object(body).paths).toSorted()).toEqual([
    '/api/v1/cache',
    '/api/v1/cache/batch',
    '/api/v1/cache/invalidate',
    '/api/v1/cache/tenant/{tenant}',
    '/api/v1/cache/{key}',
    '/cache/entries',
    '/cache/entries/{key}',
    '/cache/explain',
    '/cache/invalidate',
    '/cache/query',
    '/cache/report',
    '/cache/savings',
    '/cache/stats',
    '/cache/store',
    '/docs',
    '/metrics',
    '/openapi.json',
  ])
  const { requestBody } = Object(body).paths['/cache/store'].post
  const { schema } = requestBody.content['application/json']
  expect(schema).toMatchObject({ additionalProperties: false, required: expect.arrayContaining(['prompt', 'response']) })
})

it.each([
  ['a misspelt property', '"summary"', '"sumary"'],
  ['a missing property', '"info"', '"x-info"'],
  ['a place that is none', '"in":"path"', '"in":"route"'],
  ['another version', '"openapi":"3.1', '"openapi":"4.1'],
])('would be invalid with %s', async (_name, right, wrong) => {
  const { url } = await listening()
  const text = JSON.stringify((await ask(`${url}/openapi.json`)).body)
  expect(text).toContain(right)
  expect(await new Validator().validate(JSON.parse(text.replaceAll(right, wrong)))).toMatchObject({ valid: false })
})

it('has a page for people, without scripts', async () => {
  const { url } = await listening()
  const { body, type, headers } = await ask(`${url}/docs`)
  expect(type).toContain('text/html')
  expect(body).toContain('POST /cache/query')
  expect(body).not.toContain('<script')
  expect(headers.get('content-security-policy')).toContain("default-src 'none'")
})
