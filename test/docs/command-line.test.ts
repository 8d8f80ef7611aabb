import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandsIn, page } from './pages.ts'
import { seedAnswers } from '../support/seeded-answers.ts'
import { main } from '../../src/cli/main.ts'
import { commands } from '../../src/cli/commands.ts'

let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'llmemo-page-'))
  await seedAnswers(join(folder, 'answers.db'))
  const body = { model: 'gpt-5-mini', messages: [{ role: 'user', content: 'What does the licence allow?' }] }
  writeFileSync(join(folder, 'monday.json'), JSON.stringify({ endpoint: 'chat.completions', body }))
  writeFileSync(join(folder, 'tuesday.json'), JSON.stringify({ endpoint: 'chat.completions', body: { ...body, temperature: 0.2 } }))
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** What differs from one run to the next: measured times, dates and prices. */
function withoutFigures(text: string): string {
  return text
    .replaceAll(/\d+(?:\.\d+)? ms/g, '… ms')

    .replaceAll(/(?<=^age +)\d+$/gm, '…')
    .replaceAll(/(?<=^ttl +)\d+$/gm, '…')
    .replaceAll(/\d{13}|\b\d{4}-\d\d-\d\d\b/g, '…')
    .replaceAll(/\$[\d.]+/g, '$…')
    .replaceAll(/ +/g, ' ')
}

describe('docs/command-line.md', () => {
  it('shows what each command prints', async () => {
    // A worker of the test runner cannot change its folder, so the paths of the page are completed here.
    const said = commandsIn(page('docs/command-line.md'))
    expect(said.length).toBeGreaterThan(8)
    for (const { command, output, code } of said) {
      const copy = join(folder, 'copy.db')
      cpSync(join(folder, 'answers.db'), copy)
      const lines: string[] = []
      const args = command.split(' ').map((word) => {
        if (word.startsWith('sqlite:')) return `sqlite:${word === 'sqlite:answers.db' ? copy : join(folder, 'other.db')}`
        return /^[\w-]+\.(?:json|jsonl)$/.test(word) ? join(folder, word) : word
      })
      const target = args.indexOf('>')
      const print = (text: string): void => void lines.push(text)
      const done = await main(target === -1 ? args : args.slice(0, target), { env: {}, out: print, error: print })
      if (target !== -1) writeFileSync(args[target + 1] ?? '', lines.splice(0).join('\n'))
      expect({ command, code: done, output: withoutFigures(lines.join('\n')) }).toEqual({ command, code, output: withoutFigures(output) })
      expect(Math.max(0, ...output.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    }
  })

  it('tells of every command', () => {
    for (const name of Object.keys(commands)) expect(page('docs/command-line.md')).toMatch(new RegExp(`npx llmemo ${name}\\b`))
  })
})
