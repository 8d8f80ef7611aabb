/**
 * Fills a JSON schema from a text, for structured answers and the arguments of tools.
 * @module
 */
import { answerTo, keywords, type Prompt, saysYes } from './answers.ts'

/** The part of JSON Schema that `fill` knows. */
export interface Schema {
  readonly type?: unknown
  readonly description?: unknown
  readonly enum?: unknown
  readonly items?: unknown
  readonly properties?: unknown
  readonly anyOf?: unknown
}

/** A value that fits the schema, taken from the question and the text. `name` is the name of the member that holds it. */
export function fill(given: unknown, prompt: Prompt, name = ''): unknown {
  const schema = readSchema(given)
  const choices = listOf(schema.enum)
  const options = listOf(schema.anyOf)
  const topic = typeof schema.description === 'string' ? schema.description : name
  if (choices.length > 0) return mentioned(choices, prompt)[0] ?? choices[0]
  if (options.length > 0) return fill(options[0], prompt, name)
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(Object.entries(Object(schema.properties)).map(([key, value]) => [key, fill(value, prompt, key)]))
    case 'array': {
      const known = listOf(readSchema(schema.items).enum)
      return known.length > 0 ? mentioned(known, prompt) : keywords(prompt.text, 5)
    }
    case 'boolean':
      return saysYes({ question: topic, text: prompt.text })
    case 'integer':
    case 'number':
      return Number(/\b\d{4}\b/.exec(prompt.text)?.[0] ?? /\d+/.exec(prompt.text)?.[0] ?? 0)
    default:
      return answerTo({ question: topic, text: prompt.text })
  }
}

/** The values that occur in the question or in the text. */
function mentioned(values: readonly unknown[], { question, text }: Prompt): unknown[] {
  const words = `${question}\n${text}`.toLowerCase().replaceAll(/\s+/g, ' ')
  return values.filter((value) => words.includes(String(value).toLowerCase()))
}

function readSchema(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? value : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
