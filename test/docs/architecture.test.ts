import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rooms } from '../support/source-rules.ts'
import { top } from '../support/packed.ts'
import { linksIn, page, pathsIn } from './pages.ts'

const pages = [
  'README.md',
  'CHANGELOG.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'docs/add-a-provider.md',
  'docs/add-a-store.md',
  'docs/environment.md',
  'docs/integrations.md',
  'docs/options.md',
  'docs/runtimes.md',
  'test/faults/README.md',
  'bench/README.md',
]

/** The rooms of the tree that have a folder, or are files of `src` itself. */
const built = rooms.filter((room) => room === 'words' || room === 'index' || existsSync(join(top, 'src', room)))

describe('ARCHITECTURE.md', () => {
  const text = page('ARCHITECTURE.md')

  it('lists the rooms in the order of the rules', () => {
    const list = /## Who may import whom([^]*?)\nNarrower/.exec(text)?.[1] ?? ''
    expect([...list.matchAll(/^\d+\. `(.+)`$/gm)].map(([, room]) => room)).toEqual(built)
  })

  it('says of every room what is in it', () => {
    const tree = /## The tree([^]*?)\n## /.exec(text)?.[1] ?? ''
    const folders = built.filter((room) => room !== 'words' && room !== 'index').map((room) => `src/${room}/`)
    const described = [...tree.matchAll(/^\| `(src\/[\w/-]+\/)` \|/gm)].map(([, folder = '']) => folder)
    expect(described.toSorted()).toEqual(folders.toSorted())
    expect(folders).toContain('src/engine/flight/')
  })
})

describe.each(pages)('%s', (path) => {
  const text = page(path)

  it('names only files and folders that there are', () => {
    expect(pathsIn(text).filter((named) => !existsSync(join(top, named)))).toEqual([])
  })

  it('links only to files that there are', () => {
    expect(linksIn(text).filter((link) => !existsSync(join(top, path, '..', link)))).toEqual([])
  })
})
