/**
 * Answers of embedding and image models of the AI SDK.
 * @module
 */
import type { AnswerRules, InputRules } from '../../cache/cache.ts'
import type { Usage } from '../../entry.ts'
import { listOf, membersOf } from './contract.ts'
import { modelIn } from './language-answers.ts'

const inputs: InputRules = {
  split(request) {
    const values = valuesOf(request)
    return values.length === 0 ? undefined : values.map((value) => Object.assign({}, request, { values: [value] }))
  },
  unite: (request, singles) => ({ ...request, values: singles.flatMap(valuesOf) }),
  share(answer, count) {
    const { usage, ...rest } = membersOf(answer)
    const embeddings = listOf(rest['embeddings'])
    if (embeddings.length !== count) return undefined
    const shares = sharesOf(membersOf(usage)['tokens'], count)
    return embeddings.map((embedding, index) =>
      Object.assign({}, rest, { embeddings: [embedding] }, shares && { usage: { tokens: shares[index] ?? 0 } }),
    )
  },
  join(answers) {
    const all = answers.map(membersOf)
    const tokens = all.map(({ usage }) => membersOf(usage)['tokens']).filter((each) => typeof each === 'number')
    const { usage: _, ...first } = all[0] ?? {}
    return {
      ...first,
      embeddings: all.flatMap(({ embeddings }) => listOf(embeddings)),
      warnings: all.flatMap(({ warnings }) => listOf(warnings)),
      ...(tokens.length === all.length && { usage: { tokens: tokens.reduce((sum, each) => sum + each, 0) } }),
    }
  },
}

/** The values of a request for embeddings. */
export function valuesOf(request: object): readonly unknown[] {
  return listOf(Reflect.get(request, 'values'))
}

/** Tokens dealt out evenly, as the provider does not say how many each input has. Their sum stays the same. */
function sharesOf(tokens: unknown, count: number): number[] | undefined {
  if (typeof tokens !== 'number') return undefined
  const each = Math.floor(tokens / count)
  return Array.from({ length: count }, (_, index) => each + (index < tokens - each * count ? 1 : 0))
}

/** The rules of embeddings: each value is cached by itself. */
export const embeddingRules: AnswerRules = {
  usage(answer): Usage | undefined {
    const { tokens } = membersOf(membersOf(answer)['usage'])
    return typeof tokens === 'number' ? { input: tokens, output: 0 } : undefined
  },
  skipReason: (answer) => (listOf(membersOf(answer)['embeddings']).every((each) => listOf(each).length > 0) ? undefined : 'empty'),
  inputs,
}

/** The rules of images. */
export const imageRules: AnswerRules = {
  usage(answer): Usage | undefined {
    const { inputTokens, outputTokens } = membersOf(membersOf(answer)['usage'])
    return typeof inputTokens === 'number' && typeof outputTokens === 'number' ? { input: inputTokens, output: outputTokens } : undefined
  },
  model: modelIn,
  skipReason: (answer) => (listOf(membersOf(answer)['images']).length === 0 ? 'empty' : undefined),
}
