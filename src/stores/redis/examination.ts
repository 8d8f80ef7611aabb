/**
 * Examines a Redis for what keeps a cache from working well: no connection, missing permissions, a policy of eviction that refuses writes,
 * a clock that is off.
 * @module
 */
import { clockFinding, type Finding } from '../../base/finding.ts'
import { readLatestScript } from './connection.ts'
import { codeOf, failure } from './failure.ts'
import { type Connecting, firstConnection } from './first-connection.ts'

/** A client of ioredis 5 or 6 that is examined. */
export interface ExaminedRedis extends Connecting {
  call(command: string, ...given: (string | number)[]): Promise<unknown>
  on(event: 'error', listener: (error: unknown) => void): unknown
}

/** What is used for the examination, and removed again. */
export interface ExaminedNames {
  /** A key that holds nothing. */
  readonly key: string
  /** A channel on which nothing listens. */
  readonly channel: string
}

/** What was found. Never rejects. */
export async function examineRedis(client: ExaminedRedis, names: ExaminedNames): Promise<Finding[]> {
  let refusal: unknown
  // Why a connection was refused is told by this event only.
  client.on('error', (error) => (refusal = error))
  await firstConnection(client)
  const begun = performance.now()
  try {
    await client.call('PING')
  } catch (error) {
    return [unreachable(refusal ?? error)]
  }
  const connection: Finding = { check: 'connection', state: 'good', found: `Redis answers in ${(performance.now() - begun).toFixed(1)} ms` }
  const [bound, time] = [await memory(client), await clock(client)]
  // The last one: a connection that has subscribed takes no other commands.
  return [connection, await permissions(client, names), bound, time]
}

function unreachable(error: unknown): Finding {
  const code = codeOf(Object(error))
  const mend = ['NOAUTH', 'WRONGPASS'].includes(code)
    ? 'Put the user and the password of Redis into its address: redis://user:password@host:6379.'
    : 'Check that Redis runs at this host and port, that a firewall lets this machine through, and whether it needs rediss:// (TLS).'
  return { check: 'connection', state: 'bad', found: reason(error), mend }
}

/** The commands of the store, each with arguments that change nothing but the key of the examination. */
function commandsOf({ key, channel }: ExaminedNames): readonly (readonly [string, ...(string | number)[]])[] {
  return [
    ['SET', key, 'well', 'PX', 60_000],
    ['GET', key],
    ['GETRANGE', key, 0, 1],
    ['EVAL', readLatestScript, 1, key],
    ['SCAN', '0', 'MATCH', key, 'COUNT', 1],
    ['PUBLISH', channel, ''],
    ['UNLINK', key],
    ['SUBSCRIBE', channel],
  ]
}

async function permissions(client: ExaminedRedis, names: ExaminedNames): Promise<Finding> {
  const refused: string[] = []
  const failed: string[] = []
  for (const [command, ...given] of commandsOf(names)) {
    try {
      await client.call(command, ...given)
    } catch (error) {
      if (codeOf(Object(error)) === 'NOPERM') refused.push(command)
      else failed.push(`${command}: ${reason(error)}`)
    }
  }
  const check = 'commands'
  if (refused.length > 0) {
    const mend = `Give the user of Redis ${refused.map((name) => `+${name.toLowerCase()}`).join(' ')} with ACL SETUSER, on the keys ~llmemo/* and the channels &llmemo/*.`
    return { check, state: 'bad', found: `not allowed: ${refused.join(', ')}`, mend }
  }
  if (failed.length > 0) return { check, state: 'bad', found: failed.join('; '), mend: 'See what the log of Redis says of it.' }
  return { check, state: 'good', found: 'all that the cache needs are allowed' }
}

/** https://redis.io/docs/latest/develop/reference/eviction/ */
async function memory(client: ExaminedRedis): Promise<Finding> {
  const check = 'maxmemory'
  try {
    const info = String(await client.call('INFO', 'memory'))
    const limit = Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? Number.NaN)
    const policy = /^maxmemory_policy:([\w-]+)/m.exec(info)?.[1]
    if (Number.isNaN(limit) || policy === undefined) return { check, state: 'unknown', found: 'Redis does not say its policy of eviction' }
    if (limit === 0) {
      return {
        check,
        state: 'good',
        found: `no limit (${policy})`,
        mend: 'Set a limit if other programs need the memory: CONFIG SET maxmemory 2gb, with maxmemory-policy volatile-ttl.',
      }
    }
    if (policy !== 'noeviction') return { check, state: 'good', found: `a full Redis makes room (${policy})` }
    return {
      check,
      state: 'bad',
      found: 'a full Redis refuses answers and invalidations (noeviction)',
      mend: 'CONFIG SET maxmemory-policy volatile-ttl, or allkeys-lru; a managed Redis has it among its parameters.',
    }
  } catch (error) {
    return { check, state: 'unknown', found: `INFO failed: ${reason(error)}`, mend: 'Allow +info, or look for maxmemory-policy yourself.' }
  }
}

async function clock(client: ExaminedRedis): Promise<Finding> {
  try {
    const before = Date.now()
    const reply = await client.call('TIME')
    const [seconds, microseconds]: readonly unknown[] = Array.isArray(reply) ? reply : []
    return clockFinding(Number(seconds) * 1_000 + Number(microseconds) / 1_000, [before, Date.now()])
  } catch (error) {
    return { check: 'clock', state: 'unknown', found: `TIME failed: ${reason(error)}`, mend: 'Allow +time to have it compared.' }
  }
}

function reason(error: unknown): string {
  const { message } = failure('read', Object(error))
  return message.replace(/^llmemo: Redis could not be read: |\.$/g, '')
}
