/**
 * What the coach does: it answers questions and makes plans by a model, from the cache where it can.
 * @module
 */
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand, type ConverseCommandInput } from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { cacheInfo, type CacheInfo, type CallOptions, type Invalidation, withCache } from 'llmemo'
import { createCacheFromEnv } from 'llmemo/env'
import { createMonitor } from 'llmemo/monitor'
import { type Asked, RequestError, textIn } from './http.ts'
import { profileOf, saveProfile } from './profiles.ts'

// Outside the handlers, so that all invocations of one instance share them. CACHE_TABLE, CACHE_TTL_CHAT, CACHE_TTL_PLAN and CACHE_ENABLED
// say how it caches.
const cache = await createCacheFromEnv()
const monitor = createMonitor(cache)
// HTTP/1.1: a connection that a freeze closed is opened again by the next request.
const bedrock = withCache(new BedrockRuntimeClient({ requestHandler: new NodeHttpHandler() }), cache)
const modelId = process.env['MODEL_ID'] ?? 'us.anthropic.claude-haiku-4-5-20251001-v1:0'

/** What the coach answers. */
export interface Answer {
  readonly success: true
  readonly data: unknown
  readonly cached: boolean
  /** Where it came from: memory of this instance, the table, or the model. */
  readonly cacheSource: 'hot' | 'dynamodb' | 'bedrock'
  /** Seconds since the model gave it. */
  readonly cacheAge: number
}

/** A request to the model, and what the cache is told of it. */
interface Task {
  readonly input: ConverseCommandInput
  readonly options: { readonly bypassCache?: true; readonly cache: CallOptions }
}

const systems = {
  chat: 'You are a friendly coach. You answer in one or two sentences.',
  plan: 'You are a friendly coach. You make plans for a week, in short steps. Rest days matter as much as training days.',
}

async function taskOf({ user, body }: Asked, operation: 'chat' | 'plan'): Promise<Task> {
  const text = operation === 'chat' ? textIn(body, 'message') : `Make a plan: ${textIn(body, 'goal')}`
  // The answer depends on the profile, so it is part of the key. The scope keeps the users apart: all calls use the function's own role.
  const profile = await profileOf(user)
  return {
    input: {
      modelId,
      system: [{ text: `${systems[operation]} The user is a ${profile.level} who wants ${profile.goal}.` }],
      messages: [{ role: 'user', content: [{ text }] }],
      inferenceConfig: { maxTokens: 1_024 },
    },
    options: {
      ...(body['bypassCache'] === true && { bypassCache: true }),
      cache: { operation, context: { profile }, scope: `user:${user}`, tags: [`user:${user}`] },
    },
  }
}

/** A whole answer. */
export async function answer(asked: Asked, operation: 'chat' | 'plan'): Promise<Answer> {
  const { input, options } = await taskOf(asked, operation)
  const output = await bedrock.send(new ConverseCommand(input), options)
  return { success: true, data: { text: output.output?.message?.content?.[0]?.text ?? '' }, ...factsOf(output._cache) }
}

/** The pieces of an answer as they come, and its facts at the end. */
export async function* streamed(asked: Asked): AsyncGenerator<{ readonly text: string } | Omit<Answer, 'data'>> {
  const { input, options } = await taskOf(asked, 'chat')
  const output = await bedrock.send(new ConverseStreamCommand(input), options)
  for await (const event of output.stream ?? []) {
    const text = event.contentBlockDelta?.delta?.text
    if (text !== undefined) yield { text }
  }
  yield { success: true, ...factsOf(cacheInfo(output)) }
}

function factsOf(info: CacheInfo | undefined): Pick<Answer, 'cached' | 'cacheSource' | 'cacheAge'> {
  const { hit = false, source = 'origin', age = 0 } = info ?? {}
  const cacheSource = source === 'memory' ? 'hot' : source === 'dynamodb' ? 'dynamodb' : 'bedrock'
  return { cached: hit, cacheSource, cacheAge: age }
}

/** Saves a profile, and lets go of what was answered for the former one. */
export async function changeProfile({ user, body }: Asked): Promise<object> {
  await saveProfile(user, { goal: textIn(body, 'goal'), level: textIn(body, 'level') })
  return { success: true, data: { outdated: await cache.invalidate({ tags: [`user:${user}`] }) } }
}

/** What the cache of this instance did. */
export async function stats(): Promise<object> {
  const { hits, misses, hitRate, savedUsd, savedTokens, byOperation } = cache.stats()
  const { bytes, entries } = cache.memory()
  return { success: true, data: { hits, misses, hitRate, savedUsd, savedTokens, byOperation, hot: { bytes, entries } } }
}

/** Declares answers outdated: a user's own, or for an admin those of an operation, or all. */
export async function invalidate({ user, isAdmin, body }: Asked): Promise<object> {
  const { operation, all } = body
  if (!isAdmin && (operation !== undefined || all !== undefined)) throw new RequestError(403, 'Only an admin may do that.')
  if (operation !== undefined && operation !== 'chat' && operation !== 'plan')
    throw new RequestError(400, 'operation must be chat or plan.')
  const own: Invalidation = operation === undefined ? { tags: [`user:${user}`] } : { operation }
  return { success: true, data: { outdated: await cache.invalidate(all === true ? { all } : own) } }
}

/** To be awaited before a handler returns, as Lambda freezes the process then: writes what waits, and logs metrics for CloudWatch. */
export async function settled(): Promise<void> {
  await cache.flush()
  const lines = monitor.emf({ service: 'coach' })
  // Not by console.log, to which Lambda adds a time and a request id: the line has to be JSON alone.
  if (lines !== '') process.stdout.write(`${lines}\n`)
}
