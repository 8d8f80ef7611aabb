/**
 * The readable part of a cassette's name: the operation, and the first words of what is asked.
 * @module
 */
import { isJsonObject } from '../../json/object.ts'
import { comparable } from './readable.ts'

/** Characters of a name, at most. */
const maxLength = 48

/** Members of a request in which its question stands, those that say most first. */
const askingMembers = ['messages', 'input', 'prompt', 'text', 'inputText', 'body', 'content', 'query', 'texts', 'inputs']

/** The name for a request: `chat-which-road-was-taken`. */
export function slugOf(operation: string, request: unknown): string {
  const [first = 'call', ...rest] = wordsOf(operation)
  const asked = wordsOf(firstText(comparable(request), 0) ?? '')
  // `summarise` once is enough of "Summarise the licence".
  const words = [...rest, ...(rest.length === 0 && asked[0] === first ? asked.slice(1) : asked)]
  let slug = first.slice(0, maxLength)
  for (const word of words) {
    if (slug.length + 1 + word.length > maxLength) break
    slug += `-${word}`
  }
  return slug
}

/** The first words of a text, as they can stand in the name of a file. */
function wordsOf(text: string): readonly string[] {
  const plain = text.slice(0, 400).normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()
  return plain.match(/[a-z0-9]+/g) ?? []
}

/** The last question in a request: of messages the last one of the user's. */
function firstText(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value
  if (depth > 8) return undefined
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value
    const asked = items.findLast((item) => isJsonObject(item) && item['role'] === 'user')
    for (const item of asked === undefined ? items : [asked]) {
      const found = firstText(item, depth + 1)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (!isJsonObject(value)) return undefined
  for (const name of askingMembers) {
    const found = firstText(value[name], depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}
