/**
 * What is asked in a soak: every process makes the same list by itself.
 * @module
 */
import { createHash } from 'node:crypto'
import { recordings, recordingsFound } from '../support/recordings.ts'

/** A question of the list. */
export interface Question {
  readonly text: string
  /** The API key of its caller. A caller with another key must not get the answer. */
  readonly apiKey: string
  readonly operation: string
  readonly tags: readonly string[]
}

const tasks = ['Summarise this.', 'Translate this into French.', 'Is this positive or negative?', 'Which people speak here?']
const operations = ['summarize', 'translate', 'sentiment', 'qa']
/** Tags that the questions share among them. */
export const tags = Array.from({ length: 12 }, (_, index) => `doc:${index}`)
const apiKeys = ['sk-soak-one', 'sk-soak-two']
const groups = ['openai-chat', 'openai-completions', 'openai-responses', 'anthropic-messages', 'bedrock-converse']

/** Texts for where there are no recordings. */
const ownTexts = [
  'The ferry leaves the island at six in the morning and at four in the afternoon, and on Sundays only once.',
  'Your order has been packed. It will be with you on Thursday, unless the bridge is still closed by then.',
  'A cache is a promise that the past will do; an invalidation is the moment when it no longer does.',
  'We were very pleased with the room, less so with the breakfast, and not at all with the man who snored next door.',
  'Water the tomatoes in the evening. Do not water the leaves, and never by the light of the full moon, as my aunt says.',
  'The committee has read the report and asks that the figures on page nine be explained before the vote.',
  'Das Museum ist montags geschlossen; an allen anderen Tagen öffnet es um zehn Uhr.',
  'Dear neighbours: the key lies under the third stone, which is the second one if you come from the garden.',
  'Revenue grew by four per cent in the second quarter, while costs grew by six, mostly for electricity.',
  '会議は来週の火曜日に延期されました。資料は前日までに送ります。',
  'Anna said that she had said that nothing was said, and I believe two of the three.',
  'Mix the flour with the butter, add the eggs one by one, and let the dough rest for as long as a walk around the lake takes.',
]

/** The questions, the most asked first. */
export const questions: readonly Question[] = texts()
  .flatMap((text) => tasks.map((task, index) => ({ text: `${task}\n\n${text}`, operation: operations[index] ?? '' })))
  .flatMap(({ text, operation }) => apiKeys.map((apiKey) => ({ text, operation, apiKey })))
  .map(({ text, operation, apiKey }, index) => ({ text, operation, apiKey, tags: [tagAt(index), tagAt(8 * index + 5)] }))
  // In an order that does not depend on text or key.
  .toSorted((first, second) => (digestOf(first) < digestOf(second) ? -1 : 1))

function tagAt(number: number): string {
  return tags[number % tags.length] ?? ''
}

/** What every answer to a question must name. */
export function digestOf({ apiKey, text }: Pick<Question, 'apiKey' | 'text'>): string {
  return createHash('sha256')
    .update(JSON.stringify([apiKey, text]))
    .digest('hex')
}

/** The labels by which answers to a question are declared outdated. */
export function labelsOf({ operation, tags }: Question): string[] {
  return ['all', `operation:${operation}`, ...tags.map((tag) => `tag:${tag}`)]
}

/** Draws questions as people ask them: the second half as often as the first, the third a third as often. */
export function zipf(random: () => number, count = questions.length): () => number {
  let sum = 0
  const sums = Array.from({ length: count }, (_, index) => (sum += 1 / (index + 1)))
  return () => {
    const drawn = random() * sum
    let [low, high] = [0, count - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sums[middle] ?? 0) < drawn) low = middle + 1
      else high = middle
    }
    return low
  }
}

function texts(): readonly string[] {
  if (!recordingsFound) return [...ownTexts, ...ownTexts.map((text) => `${text} ${text}`), ...ownTexts.map((text) => `“${text}”`)]
  const found = new Set<string>()
  for (const { whole = '' } of groups.flatMap((group) => recordings(group))) {
    for (const text of textsIn(parsed(whole))) {
      for (const paragraph of text.split(/\n\n+/)) if (paragraph.length >= 40) found.add(paragraph.slice(0, 2_000))
    }
  }
  // Cut in the middle of a pair, the last character of a text may be none.
  return [...found].filter((text) => text.isWellFormed())
}

function* textsIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries<unknown>({ ...value })) {
    if (typeof member === 'string' && (name === 'text' || name === 'content')) yield member
    else yield* textsIn(member)
  }
}

/** Some recordings are damaged, as the provider sent them. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
