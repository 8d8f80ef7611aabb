/**
 * Plain words, which an engineer who learnt English as a second language reads once.
 */
import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const hard = /\b(he|his|him|whoever|whom|nobody|anew|comes? to nothing)\b/i
const pages = [
  'src/**/*.ts',
  'gateway/src/**/*.ts',
  'gateway/README.md',
  'README.md',
  'CHANGELOG.md',
  'docs/**/*.md',
  'examples/**/*.{ts,md}',
]

describe('source, pages and examples', () => {
  it('use plain words', () => {
    const files = globSync(pages)
    expect(files.length).toBeGreaterThan(200)
    const found = files.flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((line, index) => (hard.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    )
    expect(found).toEqual([])
  })
})
