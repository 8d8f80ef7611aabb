/**
 * A file of answers as a support bot may have it, for the pages that show what the command line prints.
 * @module
 */
import { createCache } from '../../src/cache/cache.ts'
import { sqliteStore } from '../../src/stores/sqlite/store.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { answer, question } from './chat.ts'

/** Puts answers into a new file, made three hours ago, and asks for some of them. */
export async function seedAnswers(path: string): Promise<void> {
  const clock = new ManualClock(Date.now() - 3 * 3_600_000)
  const cache = createCache({
    store: sqliteStore(path),
    clock,
    scope: 'support',
    savings: true,
    logger: false,
    ttl: { default: '30d', qa: '2h' },
    stale: '7d',
  })
  const asked = [
    ['What does the licence allow?', 'qa', 'doc:42'],
    ['May I sell it?', 'qa', 'doc:42'],
    ['The minutes of the meeting in May', 'summarize', 'doc:7'],
  ] as const
  for (const [text, operation, tag] of asked) {
    const request = question(text, { operation, tags: [tag] })
    await cache.lookup(request)
    await cache.store(request, answer('Yes, as long as you keep the notice.'))
    await cache.lookup(request)
  }
  await cache.close()
}
