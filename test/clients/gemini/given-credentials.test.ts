import { GoogleGenAI } from '@google/genai'
import { expect, it } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { geminiAnswer } from '../../support/google-answers.ts'

let tokens = 0

/** A client without a key, whose provider says by which token it was asked. Its own tokens change with each request. */
function make(headers: Record<string, string> = {}): GoogleGenAI {
  const fetch = async (_: unknown, init?: RequestInit) =>
    Response.json(geminiAnswer(String(new Headers(init?.headers).get('authorization'))))
  const client = new GoogleGenAI({
    vertexai: true,
    project: 'p',
    location: 'l',
    httpOptions: { baseUrl: 'https://gateway.invalid', headers, fetch },
  })
  const auth = {
    addAuthHeaders: async (given: Headers) => void (given.has('authorization') || given.set('authorization', `Bearer ${++tokens}`)),
  }
  Object.assign(Reflect.get(Object(client), 'apiClient').clientOptions, { auth })
  return client
}

const ask = async (client: GoogleGenAI, headers?: Record<string, string>): Promise<readonly [string | undefined, boolean | undefined]> => {
  const config = headers === undefined ? undefined : { httpOptions: { headers } }
  const answer = await client.models.generateContent({ model: 'm', contents: 'Hi', ...(config && { config }) })
  return [answer.text, cacheInfo(answer)?.hit]
}

it('G01 tokens that the caller gives to a client of Gemini, or to a call, stay apart; the SDK’s own do not count', async () => {
  const cache = createCache({ logger: false })
  const given = ['a', 'b'].map((token) => withCache(make({ Authorization: token }), cache))
  const own = withCache(make(), cache)
  for (const [index, client] of given.entries()) expect(await ask(client)).toEqual([index === 0 ? 'a' : 'b', false])
  expect(await ask(own, { Authorization: 'c' })).toEqual(['c', false])
  expect(await ask(own, { authorization: 'd' })).toEqual(['d', false])
  expect(await ask(own)).toEqual(['Bearer 1', false])
  expect(await ask(own)).toEqual(['Bearer 1', true])
  for (const [index, client] of given.entries()) expect(await ask(client)).toEqual([index === 0 ? 'a' : 'b', true])
})
