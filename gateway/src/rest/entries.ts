/**
 * The list of entries, and one entry with its content.
 * @module
 */
import type { CacheEntry, EntryFilter } from 'llmemo'
import { answerError } from '../access/problem.ts'
import { search, shownEntry } from './entry-list.ts'
import { route } from './route.ts'
import { answers, entriesQuery, entryList } from './schemas.ts'
import { spaceOf } from '../access/tenant-space.ts'

/** `GET /cache/entries`. */
const list = route({
  method: 'get',
  path: '/cache/entries',
  summary: 'What is in the cache, without prompts and answers.',
  role: 'read',
  query: entriesQuery,
  answers: { 200: entryList },
  async handle({ query: { search: text, limit, ...given }, caller, c, context: { cache } }) {
    const space = spaceOf(caller)
    const isWanted = (entry: CacheEntry): boolean =>
      text === undefined || textsOf(entry, space.shownKey(entry)).some((each) => each.includes(text.toLowerCase()))
    const { entries, isPartial } = await search(cache, { filter: filterOf(given), space, limit, isWanted })
    return c.json({ entries: entries.map((entry) => shownEntry(entry, space)), more: isPartial })
  },
})

/** `GET /cache/entries/{key}`. */
const one = route({
  method: 'get',
  path: '/cache/entries/{key}',
  summary: 'One entry with its content. Only an admin may read what others asked.',
  role: 'admin',
  answers: { 200: answers.entry, 404: answers.error },
  async handle({ caller, c, context: { cache } }) {
    const space = spaceOf(caller)
    const key = c.req.param('key')
    const { entries } = await search(cache, { filter: {}, space, limit: 1, isWanted: (entry) => space.shownKey(entry) === key })
    const [entry] = entries
    const body = await entry?.body()
    if (entry === undefined || body === undefined)
      return answerError(c, { status: 404, detail: 'There is no entry with this key.', code: 'miss' })
    return c.json({ ...shownEntry(entry, space), content: typeof body === 'string' ? body : Buffer.from(body).toString('base64') })
  },
})

/** The routes for entries. */
export const entryRoutes = [list, one]

type Given = { readonly [Name in 'operation' | 'model' | 'tag']?: string | undefined } & {
  readonly [Name in 'olderThan' | 'youngerThan']?: number | undefined
}

function filterOf({ operation, model, tag, olderThan, youngerThan }: Given): EntryFilter {
  return {
    ...(operation !== undefined && { operation }),
    ...(model !== undefined && { model }),
    ...(tag !== undefined && { tag }),
    ...(olderThan !== undefined && { olderThan }),
    ...(youngerThan !== undefined && { youngerThan }),
  }
}

function textsOf({ operation, model, endpoint, tags }: CacheEntry, key: string): string[] {
  return [key, operation, model, endpoint, ...tags].map((each) => each.toLowerCase())
}
