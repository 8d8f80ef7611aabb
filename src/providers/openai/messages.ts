/**
 * The two spellings of a message's text that OpenAI defines as the same: a string, and one text part.
 * @module
 */
import { isJsonObject, type JsonObject } from '../../json/object.ts'

/**
 * `messages` with the content of each message of these roles as a string, if it is one text part of type `partType` and nothing else.
 * It returns the same array if there is nothing to do, and never changes it.
 */
export function withPlainText(messages: readonly unknown[], roles: readonly string[], partType: string): readonly unknown[] {
  let changed: unknown[] | undefined
  for (const [index, message] of messages.entries()) {
    if (!isJsonObject(message) || typeof message['role'] !== 'string' || !roles.includes(message['role'])) continue
    const text = singleText(message['content'], partType)
    if (text === undefined) continue
    changed ??= [...messages]
    changed[index] = { ...message, content: text }
  }
  return changed ?? messages
}

/** The text of a content that is one text part with no other member. Another member, such as a cache breakpoint, means more than the text. */
function singleText(content: unknown, partType: string): string | undefined {
  if (!Array.isArray(content) || content.length !== 1) return undefined
  const part: unknown = content[0]
  if (!isJsonObject(part) || part['type'] !== partType || typeof part['text'] !== 'string') return undefined
  return hasOnly(part, ['type', 'text']) ? part['text'] : undefined
}

/** Whether an object has no members except `names`. A member that is `undefined` is never sent, and does not count. */
export function hasOnly(value: JsonObject, names: readonly string[]): boolean {
  for (const name of Object.keys(value)) if (value[name] !== undefined && !names.includes(name)) return false
  return true
}
