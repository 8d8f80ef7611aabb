import { globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path/posix'
import { describe, expect, it } from 'vitest'
import { importsIn, violations } from './support/source-rules.ts'

const top = new URL('../', import.meta.url)

function read(path: string): string {
  return readFileSync(new URL(path, top), 'utf8')
}

/** All files of the repository that are not ignored. The walk needs no git, so that it works in an exported tree too. */
function files(folder: string): string[] {
  const ignored = ['.git', 'package-lock.json', 'LICENSE', ...read('.gitignore').split('\n').filter(Boolean)]
  return readdirSync(new URL(folder, top), { withFileTypes: true }).flatMap((found) => {
    const path = join(folder, found.name)
    if (ignored.some((each) => (each.startsWith('*') ? path.endsWith(each.slice(1)) : found.name === each.replace(/\/$/, '')))) return []
    if (found.isDirectory()) return files(`${path}/`)
    return found.isFile() ? [path] : []
  })
}

describe('the source', () => {
  const paths = globSync('src/**/*.ts', { cwd: top.pathname })

  it('is there to be read', () => {
    expect(paths).toContain('src/errors.ts')
  })

  it('keeps every rule', () => {
    expect(violations(Object.fromEntries(paths.map((path) => [path, read(path)])))).toEqual([])
  })
})

describe('the rules', () => {
  const comment = '/**\n * A thing.\n * @module\n */\n'
  const clean = {
    'src/errors.ts': `${comment}/** One. */\nexport class One extends Error {}\n`,
    'src/base/digest.ts': `${comment}import type { Hash } from 'node:crypto'\nimport type { One } from '../errors.ts'\n/** Two. */\nexport const two = (one: One): Hash['digest'] => one.digest\n`,
    'src/index.ts': `${comment}export { two } from './base/digest.ts'\nexport type { One } from './errors.ts'\n`,
  }

  it('have nothing against a small tree that keeps them', () => {
    expect(violations(clean)).toEqual([])
  })

  it.each([
    ['an import upwards', 'src/a.ts', "import { two } from './base/digest.ts'", 'words imports upwards from src/base/digest.ts'],
    ['a type from above', 'src/codec/a.ts', "import type { A } from '../engine/b.ts'", 'codec imports upwards from src/engine/b.ts'],
    ['an inline type from above', 'src/codec/a.ts', "type A = import('../engine/b.ts').A", 'codec imports upwards from src/engine/b.ts'],
    ['a dynamic import from above', 'src/codec/a.ts', "await import('../engine/b.ts')", 'codec imports upwards from src/engine/b.ts'],
    ['a re-export from above', 'src/codec/a.ts', "export { A } from '../engine/b.ts'", 'codec imports upwards from src/engine/b.ts'],
    [
      'an import of a room above within a room',
      'src/engine/stats/a.ts',
      "import '../b.ts'",
      'engine/stats imports upwards from src/engine/b.ts',
    ],
    [
      'a store that imports another',
      'src/stores/redis/a.ts',
      "import '../sqlite/b.ts'",
      'stores/redis may not import src/stores/sqlite/b.ts',
    ],
    [
      'a client that imports another',
      'src/clients/openai/a.ts',
      "import '../bedrock/b.ts'",
      'clients/openai may not import src/clients/bedrock/b.ts',
    ],
    ['a room that imports more than it may', 'src/stores/a.ts', "import '../key/b.ts'", 'stores may not import src/key/b.ts'],
    ['an import of the front door', 'src/clients/a.ts', "import { two } from '../index.ts'", 'imports the front door'],
    ['an import of nothing', 'src/a.ts', "import './none.ts'", 'imports ./none.ts, which is not there'],
    ['a circle between words', 'src/a.ts', "import './b.ts'", 'circle: src/b.ts > src/a.ts > src/b.ts'],
    ['a circle of one', 'src/a.ts', "import type { A } from './a.ts'", 'circle: src/a.ts > src/a.ts'],
    ['export *', 'src/a.ts', "export * from './errors.ts'", 'export *'],
    ['export default', 'src/a.ts', 'export default 1', 'export default'],
    ['a folder that is no layer', 'src/things/a.ts', '', 'the folder src/things is none of the rooms'],
    ['a vague folder', 'src/key/utils/a.ts', '', 'utils says nothing'],
    ['a vague file', 'src/key/helpers.ts', '', 'helpers.ts says nothing'],
    ['a package where none is allowed', 'src/codec/a.ts', "import 'node:stream'", 'codec may not import node:stream (value)'],
    ['an SDK at run time', 'src/clients/a.ts', "import OpenAI from 'openai'", 'clients may not import openai (value)'],
    ['prices loaded at once', 'src/engine/a.ts', "import '@pydantic/genai-prices'", 'engine may not import @pydantic/genai-prices (value)'],
    ['any', 'src/a.ts', 'function a(b: Array<any>) { return b }', 'the type any'],
    ['an export without a comment', 'src/a.ts', 'export const a = 1', 'a has no doc comment'],
    ['a listed export without a comment', 'src/a.ts', 'const a = 1\nexport { a }', 'a has no doc comment'],
    ['a module of Node.js at once', 'src/base/a.ts', "import 'node:crypto'", 'base may not import node:crypto (value)'],
    ['a global of Node.js', 'src/a.ts', "void Buffer.from('')", 'Buffer is not everywhere; ask for globalThis.Buffer'],
    ['a global of Node.js in an object', 'src/clients/a.ts', 'void { process }', 'process is not everywhere'],
    ['a file of 301 lines', 'src/a.ts', '// more\n'.repeat(297), 'has 301 lines; 300 are the most'],
    ['a comment that belongs to another', 'src/a.ts', '/** A. */\nconst a = 1\nexport const b = a', 'b has no doc comment'],
  ])('find %s', (_, path, source, complaint) => {
    const others = {
      'src/engine/b.ts': comment,
      'src/b.ts': `${comment}import './a.ts'\n`,
      'src/key/b.ts': comment,
      'src/stores/sqlite/b.ts': comment,
      'src/clients/bedrock/b.ts': comment,
    }
    const tree = { ...clean, ...others, 'src/a.ts': comment, [path]: `${comment}${source}\n` }
    expect(violations(tree)).toEqual([expect.stringContaining(complaint)])
  })

  it('find a module without its comment', () => {
    expect(violations({ 'src/a.ts': '/** A. */\nexport const a = 1\n' })).toEqual([expect.stringContaining('@module')])
  })

  it('let types of an SDK, lazy prices and overloads pass', () => {
    const tree = {
      'src/clients/a.ts': `${comment}import type OpenAI from 'openai'\nimport { type Page } from 'openai/pagination'\n/** A. */\nexport type A = OpenAI | Page\n`,
      'src/engine/pricing/a.ts': `${comment}/** A. */\nexport const a = () => import('@pydantic/genai-prices')\n`,
      'src/a.ts': `${comment}/** A. */\nexport function a(b: string): void\nexport function a(b: number): void\nexport function a(b: unknown): void {\n  void b\n}\n`,
    }
    expect(violations(tree)).toEqual([])
  })

  it('let globals of Node.js pass that are asked for, and those of encryption and of stores', () => {
    const asked = 'void globalThis.process?.pid\nvoid (typeof setImmediate === "function" && setImmediate(() => {}))\n'
    const named = 'const a: { process?: Buffer } = {}\nvoid a.process\n'
    const needed = 'void Buffer.of(1)\n'
    const tree = {
      'src/a.ts': `${comment}${asked}${named}`,
      'src/stores/a.ts': `${comment}${needed}`,
      'src/codec/envelope.ts': `${comment}${needed}`,
    }
    expect(violations(tree)).toEqual([])
  })

  it('do not take a comment or a text for an import', () => {
    expect(importsIn("// import 'a'\nconst b = \"import 'c'\"\nexport { b }\n")).toEqual([])
  })
})

describe('the repository', () => {
  // In parts, so that this file does not hold what it looks for.
  const unwanted = [['', 'work', ''].join('/'), ['', 'tmp', 'bash'].join('/'), ['', 'root', ''].join('/'), ['registry', 'npmjs'].join('.')]

  it('names no path of a machine and no package registry', () => {
    const found = files('').flatMap((path) => {
      const text = read(path)
      return unwanted.filter((each) => text.includes(each)).map((each) => `${path}: ${each}`)
    })
    expect(found).toEqual([])
  })
})
