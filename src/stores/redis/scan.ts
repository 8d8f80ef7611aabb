/**
 * Lists the keys of a server, page by page.
 * @module
 */
import { StoreError } from '../../errors.ts'
import { errorReply } from './connection.ts'
import { failure } from './failure.ts'

/** Keys that Redis looks at for one page. */
const keysPerPage = 500

/** The words of `SCAN` behind the cursor. */
export type ScanWords = readonly [cursor: string, 'MATCH', pattern: string, 'COUNT', number: number]

/**
 * The keys of one server that begin with `prefix`. A key may appear twice.
 * @param ask sends `SCAN` with these words
 * @throws {StoreError} when a page cannot be read
 */
export async function* scanned(prefix: string, ask: (words: ScanWords) => Promise<unknown> | undefined): AsyncGenerator<string[]> {
  const pattern = `${literally(prefix)}*`
  let cursor = '0'
  do {
    const page = await scannedPage(() => ask([cursor, 'MATCH', pattern, 'COUNT', keysPerPage]))
    cursor = page.cursor
    yield page.keys.filter((key) => key.startsWith(prefix))
  } while (cursor !== '0')
}

async function scannedPage(ask: () => Promise<unknown> | undefined): Promise<{ cursor: string; keys: string[] }> {
  let reply: unknown
  try {
    reply = await ask()
  } catch (error) {
    const { error: thrown = {} } = errorReply(error)
    throw failure('read', thrown)
  }
  const [next, keys]: readonly unknown[] = Array.isArray(reply) ? reply : []
  if (typeof next !== 'string' || !Array.isArray(keys)) throw new StoreError('the reply of Redis is not a page of keys.')
  return { cursor: next, keys: keys.filter((key): key is string => typeof key === 'string') }
}

/** A pattern that matches exactly `text`. https://redis.io/docs/latest/commands/keys/ */
function literally(text: string): string {
  return text.replaceAll(/[*?[\]\\]/g, String.raw`\$&`)
}
