/**
 * Where the cache reports trouble, one line for each change of state.
 * @module
 */

/** Where the cache reports trouble: `console` fits, and so does any logger of its shape. */
export interface Logger {
  warn(message: string): void
  info(message: string): void
}

/**
 * `logger`, whose faults disturb no call: a line that it cannot take is lost.
 * @param failed called for each line that was lost
 */
export function guardedLogger(logger: Logger | undefined, failed: () => void): Logger {
  const write = (level: keyof Logger, message: string): void => {
    try {
      // A logger of the user's own may be asynchronous: the type does not forbid it.
      const result: unknown = logger?.[level](message)
      if (result instanceof Promise) result.catch(failed)
    } catch {
      failed()
    }
  }
  return { warn: (message) => write('warn', message), info: (message) => write('info', message) }
}
