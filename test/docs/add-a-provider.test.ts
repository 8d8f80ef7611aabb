import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { providers } from '../../src/providers/catalogue.ts'
import { typecheck } from '../support/packed.ts'
import { modulesIn, page, writeTree } from './pages.ts'

const text = page('docs/add-a-provider.md')
/** The modules of the page by the path in the first line of each. */
const modules = Object.fromEntries(modulesIn(text).map((module) => [/^\/\/ (\S+)/.exec(module)?.[1] ?? '', module]))
const folder = writeTree('add-a-provider', modules, true)

it('docs/add-a-provider.md shows an endpoint, a list and a test that compile', () => {
  expect(Object.keys(modules)).toEqual([
    'acme.ts',
    'src/providers/cohere/rerank.ts',
    'src/providers/cohere/endpoints.ts',
    'test/providers/cohere/rerank.test.ts',
  ])
  expect(typecheck(folder)).toBe('')
})

it('docs/add-a-provider.md shows a row as the catalogue has them', () => {
  const row = /^\+const cohere: Provider = \{\n([^]*?)^\+\}$/m.exec(text)?.[1] ?? ''
  const members = [...row.matchAll(/^\+ {2}(\w+): /gm)].map(([, name]) => name)
  expect(members).toEqual(Object.keys(providers[0] ?? {}))
})

it('docs/add-a-provider.md explains every member of an endpoint', () => {
  const declared = /export interface Endpoint \{([^]*?)\n\}/.exec(page('src/providers/endpoint.ts'))?.[1] ?? ''
  const members = [...declared.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, name = '']) => name)
  const table = /\| member \|[^]*?\n\n/.exec(text)?.[0] ?? ''
  const explained = [...table.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, names = '']) => names.replaceAll('`', '').split(', '))
  expect(explained.toSorted()).toEqual(members.toSorted())
})

it("docs/add-a-provider.md defines an endpoint of the user's own, which is asked once for one question", async () => {
  const asked: unknown[] = []
  vi.stubGlobal('fetch', async (...given: unknown[]) => {
    asked.push(given)
    return Response.json({ text: 'Rayleigh.', tokens: 3 })
  })
  onTestFinished(() => void vi.unstubAllGlobals())
  const { cache, fetch } = await import(join(folder, 'acme.ts'))
  const ask = async (trace: string): Promise<unknown> => {
    const body = JSON.stringify({ question: 'Why?', trace })
    const headers = { 'content-type': 'application/json' }
    const response: Response = await Reflect.apply(fetch, undefined, ['https://acme.example/v1/answers', { method: 'POST', headers, body }])
    return response.json()
  }
  expect([await ask('a'), await ask('b')]).toEqual(Array.from({ length: 2 }, () => ({ text: 'Rayleigh.', tokens: 3 })))
  expect(asked).toHaveLength(1)
  expect(Reflect.apply(Object(cache).stats, cache, [])).toMatchObject({ hits: 1, misses: 1, savedTokens: 3 })
})

// The page's own test of its endpoint.
await import(join(folder, 'test/providers/cohere/rerank.test.ts'))
