import { join } from 'node:path'
import { expect, it } from 'vitest'
import { typecheck } from '../support/packed.ts'
import { modulesIn, page, writeTree } from './pages.ts'

const [store = '', checks = ''] = modulesIn(page('docs/add-a-store.md'))
const folder = writeTree('add-a-store', { 'file-store.ts': store, 'checks.ts': checks })

it('docs/add-a-store.md shows a store that compiles, and its checks', () => {
  expect(typecheck(folder)).toBe('')
})

// The page's own test of its store: it goes through the conformance suite.
await import(join(folder, 'checks.ts'))
