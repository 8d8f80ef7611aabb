/**
 * Errors of clients and servers of Redis, told apart and shown without values.
 * @module
 */
import { codeOf as systemCodeOf, withoutContent } from '../../base/foreign-error.ts'
import { StoreError } from '../../errors.ts'

/** The code of an error of Redis: `OOM`, `WRONGTYPE`. Empty for an error of the client itself. */
export function codeOf(error: object): string {
  const message = Reflect.get(error, 'message')
  return typeof message === 'string' ? (/^[A-Z]{3,20}(?= |:|$)/.exec(message)?.[0] ?? '') : ''
}

/** Whether the server does not know the command. */
export function isUnknownCommand(error: object): boolean {
  return /^ERR unknown command/i.test(String(Reflect.get(error, 'message')))
}

/**
 * Messages that begin so hold nothing of what was sent. All other messages are hidden: a server repeats the arguments of an unknown
 * command, and ioredis attaches the whole command to an error, with key and value.
 */
const plainMessages =
  /^(?:Connection is closed|Connection is lost|Command timed out|Command aborted due to connection close|Stream isn't writeable|Cluster isn't ready|Reached the max retries per request limit|Failed to refresh slots cache|None of startup nodes is available|Cluster is disconnect(?:ed|ing)|Connection in subscriber mode|Connection is in monitoring mode|Protocol error|no reply|Socket closed unexpectedly|Connection timeout|Socket timeout timeout|The client is closed|The client is offline|The command was aborted|Unexpected HTTP status \d{3}|Unauthorized|timed out|Unable to execute requests; the client is closed)/

/** An error of ours for an error of the client. It says what went wrong, and holds nothing of what was sent. */
export function failure(verb: 'read' | 'written', error: object): StoreError {
  const plain = plainMessages.exec(String(Reflect.get(error, 'message')))?.[0] ?? ''
  const reason = codeOf(error) || plain || systemCodeOf(error) || 'an error of the client'
  return new StoreError(`Redis could not be ${verb}: ${reason}.`, { cause: withoutContent(error, reason) })
}
