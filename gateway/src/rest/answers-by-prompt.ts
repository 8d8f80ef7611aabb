/**
 * Answers by their prompt: look up, keep, explain.
 * @module
 */
import type { CacheRequest, TextRequest } from 'llmemo'
import type { z } from 'zod'
import { answerError } from '../access/problem.ts'
import { route } from './route.ts'
import { answers, type described, explained, prompted, stored } from './schemas.ts'
import { spaceOf } from '../access/tenant-space.ts'

/** `POST /cache/query`. */
const query = route({
  method: 'post',
  path: '/cache/query',
  summary: 'The stored answer to a prompt.',
  role: 'read',
  body: prompted,
  answers: { 200: answers.found, 404: answers.error },
  async handle({ body, caller, c, context: { cache, clock } }) {
    const found = await cache.lookup(textRequest(body, spaceOf(caller).scope))
    if (found === undefined) return answerError(c, { status: 404, detail: 'There is no answer to this prompt in the cache.', code: 'miss' })
    const { source, age, key } = found.info
    return c.json({
      prompt: body.prompt,
      response: found.answer,
      context: body.context ?? null,
      timestamp: new Date(clock.now() - age * 1_000).toISOString(),
      cacheType: 'exact',
      cached: true,
      cacheSource: source,
      cacheAge: age,
      cacheKey: key,
    })
  },
})

/** `POST /cache/store`. */
const store = route({
  method: 'post',
  path: '/cache/store',
  summary: 'Keeps an answer to a prompt.',
  role: 'write',
  body: stored,
  answers: { 200: answers.stored, 422: answers.error },
  async handle({ body: { response, ttl, tags, ...asked }, caller, c, context: { cache } }) {
    const options = { ...spaceOf(caller).scope, ...(ttl !== undefined && { ttl }), ...(tags !== undefined && { tags }) }
    const info = await cache.store(textRequest(asked, options), response)
    if (info.stored) return c.json({ cacheKey: info.key, message: 'Stored.' })
    return answerError(c, { status: 422, detail: `The answer was not stored: ${info.reason ?? 'unknown'}.`, code: 'not-stored' })
  },
})

/** `POST /cache/explain`. */
const explain = route({
  method: 'post',
  path: '/cache/explain',
  summary: 'The parts of the key of a request, or the first difference between two requests: why did this miss?',
  role: 'read',
  body: explained,
  answers: { 200: answers.explained },
  async handle({ body: { request, other }, caller, c, context: { cache } }) {
    const { scope } = spaceOf(caller)
    const first = anyRequest(request, scope)
    if (other !== undefined) return c.json(cache.explain(first, anyRequest(other, scope)))
    const explanation = cache.explain(first)
    return c.json({ ...explanation, ttl: (await cache.ttl(explanation.key)) ?? null })
  },
})

/** The routes for answers by their prompt. */
export const promptRoutes = [query, store, explain]

type Options = Pick<TextRequest, 'scope' | 'ttl' | 'tags'>

function textRequest({ prompt, context, operation, options, model, provider }: z.output<typeof prompted>, more: Options): TextRequest {
  return {
    prompt,
    ...(context !== undefined && { context }),
    ...(operation !== undefined && { operation }),
    ...(options !== undefined && { options }),
    ...(model !== undefined && { model }),
    ...(provider !== undefined && { provider }),
    ...more,
  }
}

function anyRequest(given: z.output<typeof prompted> | z.output<typeof described>, scope: Options): CacheRequest | TextRequest {
  if ('prompt' in given) return textRequest(given, scope)
  const { provider, endpoint, body, origin, headers, context, operation } = given
  return {
    endpoint,
    body,
    ...(provider !== undefined && { provider }),
    ...(origin !== undefined && { origin }),
    ...(headers !== undefined && { headers }),
    ...(context !== undefined && { context }),
    ...(operation !== undefined && { operation }),
    ...scope,
  }
}
