/**
 * Sums in Redis: a hash for each key, whose fields a script adds to, because Redis runs a script as a whole.
 * @module
 */
import type { RedisCommand, RedisReply } from './connection.ts'

const addScript = `
for i = 2, #ARGV, 2 do redis.call('hincrby', KEYS[1], ARGV[i], ARGV[i + 1]) end
if #ARGV > 1 then redis.call('pexpire', KEYS[1], ARGV[1]) end
return redis.call('hgetall', KEYS[1])`

/** Adds to the sums under a key. {@link sumsIn} reads the reply. */
export function addCommand(key: string, amounts: Readonly<Record<string, number>>, milliseconds: number): RedisCommand {
  return ['EVAL', addScript, 1, key, milliseconds, ...Object.entries(amounts).flat()]
}

/** The sums, from the reply to {@link addCommand}. */
export function sumsIn(reply: RedisReply | undefined): Record<string, number> {
  const value = reply?.error === undefined ? reply?.value : undefined
  const flat: readonly unknown[] = Array.isArray(value) ? value : []
  const pairs = flat.flatMap((name, index) =>
    index % 2 === 0 && typeof name === 'string' ? [[name, Number(flat[index + 1])] as const] : [],
  )
  return Object.fromEntries(pairs)
}
