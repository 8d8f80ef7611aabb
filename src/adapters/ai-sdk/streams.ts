/**
 * Streams of the AI SDK, to and from parts.
 * @module
 */

/** The parts of a stream of a model. */
export async function* partsIn(stream: unknown): AsyncGenerator<unknown, undefined> {
  if (!(stream instanceof ReadableStream)) return
  // Not every runtime can iterate over a stream.
  const reader: ReadableStreamDefaultReader<unknown> = stream.getReader()
  let isOver = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      isOver = done
      if (done) return
      yield value
    }
  } finally {
    if (!isOver) await reader.cancel()
  }
}

/** A stream of parts, each as `shown` shows it. It asks for a part when one is read. */
export function streamOf(parts: AsyncIterableIterator<unknown, undefined>, shown: (part: unknown) => unknown): ReadableStream<unknown> {
  return new ReadableStream<unknown>(
    {
      async pull(controller) {
        const { done, value } = await parts.next()
        if (done === true) controller.close()
        else controller.enqueue(shown(value))
      },
      cancel: async () => void (await parts.return?.()),
    },
    { highWaterMark: 0 },
  )
}
