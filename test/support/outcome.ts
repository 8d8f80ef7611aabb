/**
 * What a call came to, in a form that can be compared: of two clients, or of a first call and a second one.
 * @module
 */

/** What a call came to. */
export interface Outcome {
  /** The result of a call for a whole answer. */
  readonly value?: unknown
  /** The events of a call for a stream, as far as they came. */
  readonly events?: readonly unknown[]
  /** What it was rejected with, as far as it can be compared. */
  readonly error?: Failure
}

/** An error's class, by identity, and the members by which a caller tells what happened. */
export interface Failure {
  readonly class: unknown
  readonly name: string
  readonly message: string
  readonly members: Readonly<Record<string, unknown>>
}

/** Makes the call and, where it gives a stream, reads that to its end. Never rejects. */
export async function outcomeOf(ask: () => PromiseLike<unknown>): Promise<Outcome> {
  const events: unknown[] = []
  let streamed = false
  try {
    const value = await ask()
    if (!isStream(value)) return { value }
    streamed = true
    for await (const event of value) events.push(event)
    return { events }
  } catch (error) {
    return { ...(streamed && { events }), error: failureOf(error) }
  }
}

/** What can be compared of an error. Its headers and its cause differ from one exchange to the next. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { class: undefined, name: typeof error, message: String(error), members: {} }
  const { headers: _, cause: __, ...members } = Object.fromEntries(Object.entries(error))
  return { class: error.constructor, name: error.name, message: error.message, members }
}

/** Everything that a stream gives. */
export async function read<Item>(stream: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = []
  for await (const item of stream) items.push(item)
  return items
}

/** Whether a result is a stream. */
export function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
