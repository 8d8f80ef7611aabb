import { copyFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { assertBuilt, install, type Project, top, typecheck } from '../packed.ts'

let project: Project

beforeAll(() => {
  assertBuilt()
  project = install()
  project.link('zod')
  project.link('groq-sdk')
}, 60_000)

afterAll(() => project?.remove())

const installed = (): string => join(project.folder, 'node_modules/openai')

/** Compiles files of this folder, and whatever else is written into the project, as a user's project would. */
function errorsIn(files: readonly string[], more: Readonly<Record<string, string>> = {}): string {
  for (const name of files) copyFileSync(join(import.meta.dirname, name), join(project.folder, name))
  for (const [name, text] of Object.entries(more)) writeFileSync(join(project.folder, name), text)
  const output = { types: ['node'], declaration: true, emitDeclarationOnly: true, outDir: 'out' }
  const compilerOptions = { target: 'es2023', module: 'nodenext', strict: true, skipLibCheck: false, ...output }
  writeFileSync(join(project.folder, 'package.json'), JSON.stringify({ type: 'module' }))
  writeFileSync(join(project.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [...files, ...Object.keys(more)] }))
  return typecheck(project.folder)
}

/** What a module exports, the compiler must be able to name in a declaration of its own. */
const exporting = `
  import OpenAI, { AzureOpenAI } from 'openai'
  import { withCache } from 'llmemo'
  export class Own extends OpenAI { readonly team: string = 'support' }
  export const client = withCache(new OpenAI())
  export const azure = withCache(new AzureOpenAI())
  export const own = withCache(new Own())
  export const answer = await client.chat.completions.create({ model: 'm', messages: [] })
  export const make = () => ({ client: withCache(new OpenAI()).withOptions({}) })
`

it.each([
  ['openai5', ['openai.test-d.ts']],
  ['openai6', ['openai.test-d.ts', 'openai-6.test-d.ts']],
  ['openai', ['openai.test-d.ts', 'openai-6.test-d.ts', 'openai-7.test-d.ts']],
])(
  'the built package gives a client of %s its types',
  (name, files) => {
    rmSync(installed(), { force: true })
    symlinkSync(join(top, 'node_modules', name), installed(), 'junction')
    expect(errorsIn(files, { 'exporting.ts': exporting, 'required.cts': exporting.replace('await ', '') })).toBe('')
  },
  60_000,
)

it('the built package leaves another client its type where openai is not installed', () => {
  rmSync(installed(), { force: true })
  const foreign = `
    import { type Cached, withCache } from 'llmemo'
    class Foreign { #hidden = 1; read(): number { return this.#hidden } }
    export const client = withCache(new Foreign())
    export const same: Foreign = client
    export const named: Cached<Foreign> = client
    export const read: number = client.read()
    // @ts-expect-error: neither is it any
    client.nope
  `
  expect(errorsIn([], { 'foreign.ts': foreign, 'required.cts': foreign })).toBe('')
}, 60_000)
