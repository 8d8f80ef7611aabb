/**
 * The stand-in's answers: the sentences of the given text that fit the question best. There is no model, no randomness and no network.
 * @module
 */

const common = new Set(
  (
    'a about above after all also am an and any are as at be been before but by can could did do does each for from had has have her ' +
    'how i if in into is it its may me more most must my no nor not of on one only or other our out over own shall she should so some such ' +
    'text than that the their them then there these they this those to under up us was we were what when where which who why will with would you your'
  ).split(' '),
)

/** A question, and the text that it is about. */
export interface Prompt {
  readonly question: string
  readonly text: string
}

/** Reads a prompt: the question first, then an empty line, then the text. */
export function readPrompt(prompt: string, background = ''): Prompt {
  const [question = '', ...paragraphs] = prompt.trim().split(/\n\s*\n/)
  const text = paragraphs.join('\n\n')
  return { question: question.replaceAll(/\s+/g, ' '), text: text === '' ? background : text }
}

/** The answer, in one or two sentences of the text itself. It repeats the question, so that a reader would notice a wrong answer of a cache. */
export function answerTo({ question, text }: Prompt): string {
  const asked = question.length > 90 ? `${question.slice(0, 90)}…` : question
  const best = bestSentences({ question, text }, 2)
  if (best.length === 0) return `On “${asked}”: there is no text to answer it from.`
  const verdict = isYesOrNo(question) ? `${saysYes({ question, text }) ? 'yes' : 'no'}. ` : ''
  return `On “${asked}”: ${verdict}${best.join(' ')}`
}

/** Whether the sentence that fits the question best says yes. */
export function saysYes(prompt: Prompt): boolean {
  const [nearest] = bestSentences(prompt, 1)
  return nearest !== undefined && !/\b(?:no|not|never|cannot|nor)\b/i.test(nearest)
}

/** The sentences that answer best, in the order of the text. Words of the question count most, then frequent words of the text. */
export function bestSentences({ question, text }: Prompt, number: number): string[] {
  const asked = new Set(contentWords(question))
  const frequency = new Map<string, number>()
  for (const word of contentWords(text)) frequency.set(word, (frequency.get(word) ?? 0) + 1)
  const ranked = sentences(text).map((sentence, place) => {
    const words = [...new Set(contentWords(sentence))]
    const matches = words.filter((word) => asked.has(word)).length
    const weight = (2 * words.reduce((sum, word) => sum + Math.log1p(frequency.get(word) ?? 0), 0)) / (words.length + 4)
    return { sentence, place, score: (6 * matches) / Math.cbrt(words.length) + weight }
  })
  return ranked
    .toSorted((first, second) => second.score - first.score || first.place - second.place)
    .slice(0, number)
    .toSorted((first, second) => first.place - second.place)
    .map(({ sentence }) => (sentence.length > 240 ? `${sentence.slice(0, sentence.lastIndexOf(' ', 240))} …` : sentence))
}

/** The most frequent words of the text, the most frequent first. */
export function keywords(text: string, number: number): string[] {
  const counts = new Map<string, number>()
  for (const word of contentWords(text)) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts]
    .toSorted(([, first], [, second]) => second - first)
    .slice(0, number)
    .map(([word]) => word)
}

/** The words of a text that carry meaning, in lower case and without the plural's s. */
export function contentWords(text: string): string[] {
  const words = text.toLowerCase().match(/\p{L}[\p{L}\p{N}'-]+/gu) ?? []
  return words.filter((word) => !common.has(word)).map((word) => (/[^s]s$/.test(word) ? word.slice(0, -1) : word))
}

/** About as many tokens as a model's tokeniser would make of English text. */
export function countTokens(text: string): number {
  return Math.ceil(text.length / 4)
}

/** The tool whose name or description shares a word with the question. */
export function fittingTool<Tool extends { readonly name: string; readonly description?: string }>(
  tools: readonly Tool[],
  question: string,
): Tool | undefined {
  const words = new Set(contentWords(question))
  return tools.find(({ name, description = '' }) => contentWords(`${name} ${description}`).some((word) => words.has(word)))
}

/** A text in pieces of three words, for a stream. */
export function pieces(text: string): string[] {
  return text.match(/(?:\S+\s*){1,3}/g) ?? []
}

function isYesOrNo(question: string): boolean {
  return /^(?:am|are|can|could|did|do|does|has|have|is|may|must|should|was|were|will|would)\b/i.test(question)
}

/** The sentences of a text, without Markdown's tables, code and marks, and without those that are too short to be an answer. */
function sentences(text: string): string[] {
  return text
    .replaceAll(/^```[^]*?^```$/gm, '')
    .replaceAll(/^\|.*$/gm, '')
    .replaceAll(/^#+ .*$/gm, '')
    .split(/\n\s*\n|^\s*[-*] /m)
    .flatMap((paragraph) => paragraph.split(/(?<=[.!?])\s+(?=[\p{Lu}“"(*`])/u))
    .map((sentence) => sentence.replaceAll(/[*`]+/g, '').replaceAll(/\s+/g, ' ').trim())
    .filter((sentence) => contentWords(sentence).length >= 3)
}
