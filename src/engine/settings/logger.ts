/**
 * Where the cache tells of its troubles, one line for each change of state.
 * @module
 */

/** Where the cache tells of its troubles: `console` fits, and so does any logger of its shape. */
export interface Logger {
  warn(message: string): void
  info(message: string): void
}

/**
 * `logger`, of which no fault gets out: a line that it cannot take is lost, the call during which it was written is not.
 * @param failed told of each line that was lost
 */
export function guardedLogger(logger: Logger | undefined, failed: () => void): Logger {
  const write = (level: keyof Logger, message: string): void => {
    try {
      // A logger of the user's own may well be asynchronous, which the type does not keep it from.
      const result: unknown = logger?.[level](message)
      if (result instanceof Promise) result.catch(failed)
    } catch {
      failed()
    }
  }
  return { warn: (message) => write('warn', message), info: (message) => write('info', message) }
}
