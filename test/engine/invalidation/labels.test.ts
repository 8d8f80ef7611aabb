import { describe, expect, it } from 'vitest'
import type { CacheRequest, Invalidation } from '../../../src/cache/cache.ts'
import { labelsOf } from '../../../src/engine/invalidation/labels.ts'
import { answer, ask, openCache } from '../../support/chat.ts'

const long = 'n'.repeat(1_000_000)

describe('labels of long names', () => {
  it('G53 are short, and differ where the names differ', () => {
    const labels = labelsOf({ scope: long, operation: long, model: long, tags: [long, `${long}!`] })
    expect(labels.join('').length).toBeLessThan(1_000)
    expect(new Set(labels).size).toBe(6)
    const [, , , , digest = ''] = labels
    const name = digest.slice('tag'.length + 1)
    expect(labelsOf({ scope: '', operation: '', model: '', tags: [name, `#${name}`] })).not.toContain(digest)
  })

  it.each<Invalidation>([{ tags: [long] }, { operation: long }, { scope: long }, { model: long }])(
    'G53 can be invalidated by the names',
    async (what) => {
      const { cache } = openCache()
      const body = { model: long, messages: [{ role: 'user', content: 'What is the answer?' }] }
      const asked: CacheRequest = { endpoint: 'chat.completions', body, scope: long, operation: long, tags: [long] }
      await cache.store(asked, answer())
      expect(await ask(cache, asked)).toBe('42')
      expect(await cache.invalidate(what)).toBe(true)
      expect(await ask(cache, asked)).toBeUndefined()
    },
  )
})
