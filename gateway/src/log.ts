/**
 * The log of the gateway: one JSON object a line, never with a prompt, an answer or a secret.
 * @module
 */
import type { Clock } from 'llmemo'

/** How important a line is. */
export type LogLevel = 'info' | 'warn' | 'error'

/** What a line says besides its time, level and event. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/**
 * Writes one line.
 * @param event what happened, in kebab case: `upstream-failed`
 */
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void

/**
 * A log that hands each line to `write`.
 * @param write takes a line with its line feed
 */
export function lineLog(clock: Clock, write: (line: string) => void): Log {
  return (level, event, fields = {}) => {
    write(`${JSON.stringify({ time: new Date(clock.now()).toISOString(), level, event, ...fields })}\n`)
  }
}

/** A log that drops every line. */
export const silentLog: Log = () => undefined
