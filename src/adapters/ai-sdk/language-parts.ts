/**
 * The parts of a stream of the AI SDK, put together to a whole answer, and a whole answer taken apart.
 * Source: https://github.com/vercel/ai/blob/main/packages/provider/src/language-model/v4/language-model-v4-stream-part.ts
 * @module
 */
import { listOf, type Members, membersOf } from './contract.ts'

/** The whole answer that parts add up to; `undefined` if they have no `finish`, or one is an error or of a kind that cannot be merged. */
export function assembled(parts: readonly unknown[]): Members | undefined {
  const content: Members[] = []
  const open = new Map<string, Members>()
  const answer: Members = { content, warnings: [] }
  let isComplete = false
  for (const part of parts.map(membersOf)) {
    const { type, ...rest } = part
    if (type === 'stream-start') answer['warnings'] = rest['warnings'] ?? []
    else if (type === 'response-metadata') answer['response'] = { ...membersOf(answer['response']), ...rest }
    else if (type === 'finish') {
      Object.assign(answer, rest)
      isComplete = true
    } else if (typeof type !== 'string' || type === 'error') return undefined
    // The tool call that follows holds the whole input.
    else if (type.startsWith('tool-input-')) continue
    else if (!takePart(type, part, { content, open })) return undefined
  }
  return isComplete && open.size === 0 ? answer : undefined
}

/** Content as it grows: the pieces in order, and those that are not at their end. */
interface Growing {
  readonly content: Members[]
  readonly open: Map<string, Members>
}

/** Takes a part into the content. @returns whether it could be taken */
function takePart(type: string, part: Members, { content, open }: Growing): boolean {
  const [, kind = '', step] = /^(text|reasoning)-(start|delta|end)$/.exec(type) ?? []
  if (step === undefined) {
    if (/-(?:start|delta|end)$/.test(type)) return false
    content.push(part)
    return true
  }
  const { type: _, id, delta, ...others } = part
  const name = `${kind} ${String(id)}`
  if (step === 'start') {
    const piece = { type: kind, text: '', ...defined(others) }
    content.push(piece)
    open.set(name, piece)
    return true
  }
  const piece = open.get(name)
  if (piece === undefined) return false
  if (typeof delta === 'string') piece['text'] = `${String(piece['text'])}${delta}`
  Object.assign(piece, defined(others))
  if (step === 'end') open.delete(name)
  return true
}

/** The members that have a value. One that is `undefined` must not replace another. */
function defined(members: Members): Members {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

/** The parts in which a whole answer would have come. {@link assembled} makes the answer of them again. */
export function partsOf({ content, warnings, response, ...finish }: Members): Members[] {
  const metadata = membersOf(response)
  return [
    { type: 'stream-start', warnings: warnings ?? [] },
    ...(Object.keys(metadata).length === 0 ? [] : [{ type: 'response-metadata', ...metadata }]),
    ...listOf(content).flatMap((piece, index) => partsOfPiece(membersOf(piece), String(index))),
    { type: 'finish', ...finish },
  ]
}

function partsOfPiece(piece: Members, id: string): Members[] {
  const { type, text, ...others } = piece
  if (type === 'text' || type === 'reasoning') {
    // What a provider says of a piece may stand on its first part or on its last one. Callers take the last one that is given.
    return [
      { type: `${type}-start`, id, ...others },
      { type: `${type}-delta`, id, delta: text },
      { type: `${type}-end`, id, ...others },
    ]
  }
  return type === 'tool-call' ? [...inputParts(piece), piece] : [piece]
}

/** The input of a tool call, which streams give before the call. */
function inputParts({ toolCallId: id, toolName, input, providerExecuted, dynamic, providerMetadata }: Members): Members[] {
  if (typeof input !== 'string') return []
  return [
    { type: 'tool-input-start', id, toolName, ...defined({ providerExecuted, dynamic, providerMetadata }) },
    { type: 'tool-input-delta', id, delta: input },
    { type: 'tool-input-end', id },
  ]
}
