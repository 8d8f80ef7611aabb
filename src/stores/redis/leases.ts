/**
 * Leases in Redis: scripts that compare and change a key in one step, because Redis runs a script as a whole.
 * https://redis.io/docs/latest/develop/programmability/eval-intro/
 * @module
 */
import type { RedisCommand, RedisReply } from './connection.ts'

const acquireScript = `
local holder = redis.call('get', KEYS[1])
if holder and holder ~= ARGV[1] then return holder end
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]`

const releaseScript = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"

/** Takes or prolongs a lease, unless another token holds it. {@link holderIn} reads the reply. */
export function acquireCommand(key: string, token: string, milliseconds: number): RedisCommand {
  return ['EVAL', acquireScript, 1, key, token, milliseconds]
}

/** Releases a lease, unless another token holds it. */
export function releaseCommand(key: string, token: string): RedisCommand {
  return ['EVAL', releaseScript, 1, key, token, 0]
}

/** The token that holds the lease, from the reply to {@link acquireCommand}. */
export function holderIn(reply: RedisReply | undefined): string {
  const holder = reply?.error === undefined ? reply?.value : undefined
  return typeof holder === 'string' ? holder : ''
}
