/**
 * The head of an entry as a test needs it.
 * @module
 */
import type { EntryHead } from '../../src/entry.ts'

/** A head that is sound: a chat answer of OpenAI without labels. @param own what this head has in its place */
export function entryHead(own: Partial<EntryHead> = {}): EntryHead {
  return {
    key: '00ff',
    scope: '',
    provider: 'openai',
    endpoint: 'chat.completions',
    operation: 'chat',
    model: 'gpt-5-mini',
    kind: 'json',
    storedAt: 1_767_225_600_000,
    ttl: 3_600_000,
    stale: 0,
    tags: [],
    generations: {},
    status: 200,
    headers: {},
    omits: [],
    latency: 812,
    ...own,
  }
}
