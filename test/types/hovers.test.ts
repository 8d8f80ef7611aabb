import { createRequire } from 'node:module'
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type TypeScript from '../../node_modules/@arethetypeswrong/core/node_modules/typescript/lib/typescript.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assertBuilt, install, type Project, top } from '../support/packed.ts'

/** The last major version of the compiler with a language service that a program can ask. Editors ask the same one. */
const ts: typeof TypeScript = createRequire(import.meta.url)(join(top, 'node_modules/@arethetypeswrong/core/node_modules/typescript'))

let project: Project
beforeAll(() => {
  assertBuilt()
  project = install()
  project.link('zod')
})
afterAll(() => project?.remove())

/** What an editor is told: the text about what is under the pointer, and the names that it offers for what stands in `{}`. */
interface Editor {
  readonly hover: (position: number) => string
  readonly offers: (position: number) => readonly string[]
  readonly errors: readonly string[]
}

function edit(text: string): Editor {
  const file = join(project.folder, 'edited.mts')
  const settings: TypeScript.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    strict: true,
    skipLibCheck: true,
    types: ['node'],
  }
  const read = (name: string): string | undefined => (name === file ? text : ts.sys.readFile(name))
  const service = ts.createLanguageService({
    getCompilationSettings: () => settings,
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot(name) {
      const source = read(name)
      return source === undefined ? undefined : ts.ScriptSnapshot.fromString(source)
    },
    getCurrentDirectory: () => project.folder,
    getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
    fileExists: (name) => name === file || ts.sys.fileExists(name),
    readFile: (name) => read(name),
    readDirectory: (...given) => ts.sys.readDirectory(...given),
    directoryExists: (name) => ts.sys.directoryExists(name),
    getDirectories: (name) => ts.sys.getDirectories(name),
    realpath: (name) => (name === file ? name : (ts.sys.realpath?.(name) ?? name)),
  })
  return {
    hover: (position) => ts.displayPartsToString(service.getQuickInfoAtPosition(file, position)?.documentation),
    offers: (position) => service.getCompletionsAtPosition(file, position, {})?.entries.map(({ name }) => name) ?? [],
    errors: service.getSemanticDiagnostics(file).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
  }
}

function replace(name: string, from: string): void {
  const installed = join(project.folder, 'node_modules', name)
  rmSync(installed, { force: true })
  mkdirSync(dirname(installed), { recursive: true })
  symlinkSync(join(top, 'node_modules', from), installed, 'junction')
}

const chat = `{ model: 'm', messages: [] }`
const openai = [
  ['chat.completions.create', chat],
  ['chat.completions.create', `{ model: 'm', messages: [], stream: true }`],
  ['chat.completions.parse', chat],
  ['chat.completions.stream', chat],
  ['chat.completions.runTools', `{ model: 'm', messages: [], tools: [] }`],
  ['responses.create', `{ model: 'm', input: 'i' }`],
  ['responses.create', `{ model: 'm', input: 'i', stream: true }`],
  ['responses.stream', `{ model: 'm', input: 'i' }`],
  ['completions.create', `{ model: 'm', prompt: 'p' }`],
  ['embeddings.create', `{ model: 'm', input: 'i' }`],
  ['moderations.create', `{ input: 'i' }`],
  ['images.generate', `{ prompt: 'p' }`],
  ['audio.speech.create', `{ model: 'm', input: 'i', voice: 'alloy' }`],
  ['audio.transcriptions.create', `{ model: 'm', file: new File([], 'f') }`],
] as const
const message = `{ model: 'm', max_tokens: 1, messages: [] }`
const anthropic = [
  ['messages.create', message],
  ['messages.create', `{ model: 'm', max_tokens: 1, messages: [], stream: true }`],
  ['messages.stream', message],
  ['messages.countTokens', `{ model: 'm', messages: [] }`],
  ['beta.messages.create', message],
  ['beta.messages.stream', message],
  ['beta.messages.countTokens', `{ model: 'm', messages: [] }`],
] as const

describe.each([
  ['openai', 'openai', openai],
  ['openai6', 'openai', openai],
  ['openai5', 'openai', openai],
  ['@anthropic-ai/sdk', '@anthropic-ai/sdk', anthropic],
  ['anthropic0', '@anthropic-ai/sdk', anthropic],
  ['anthropic060', '@anthropic-ai/sdk', anthropic],
])('G31 in an editor, a wrapped client of %s', (installed, name, calls) => {
  it('has the SDK’s own text for each of its methods, and offers the options of the cache', () => {
    replace(name, installed)
    const head = `
      import Client from '${name}'
      import { withCache } from 'llmemo'
      const bare = new Client()
      const wrapped = withCache(bare)
    `
    const lines = calls.flatMap(([method, body]) => [`void bare.${method}(${body})`, `void wrapped.${method}(${body}, {})`])
    const text = [head, ...lines].join('\n')
    const editor = edit(text)
    expect(editor.errors).toEqual([])
    const starts = lines.map((_, index) => text.length - lines.slice(index).join('\n').length)
    const told = lines.map((line, index) => editor.hover((starts[index] ?? 0) + line.indexOf('(') - 1))
    const own = told.filter((_, index) => index % 2 === 0)
    expect(told.filter((_, index) => index % 2 === 1)).toEqual(own)
    expect(own.filter((each) => each !== '').length).toBeGreaterThan(calls.length / 2)
    const silent = lines.filter((line, index) => {
      const offered = editor.offers((starts[index] ?? 0) + line.length - 2)
      // The options of this generic method are a parameter of its own, for which the compiler offers nothing.
      if (!line.includes('wrapped') || line.includes('responses.stream')) return false
      return !(offered.includes('cache') && offered.includes('bypassCache'))
    })
    expect(silent).toEqual([])
  })
})
