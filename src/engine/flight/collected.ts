/**
 * Callers that drop an answer without reading it to its end.
 * @module
 */
import { collectedObjects } from '../../base/weak.ts'

/** What is left when an answer is dropped. */
interface Leaving {
  leave(): void
}

// Not every runtime tells. There, a dropped answer stays open until the provider ends it.
const dropped = collectedObjects<Leaving>((reader) => reader.leave())

/**
 * Lets `reader` leave its flight once the caller has dropped `answer` and the engine has collected it, as the platform's own `fetch` does.
 * `reader` must not hold `answer`.
 */
export function leaveWhenCollected(answer: object, reader: Leaving): void {
  dropped.register(answer, reader, reader)
}

/** `reader` stays in its flight whatever becomes of the answers that it was to leave with until now. */
export function stayWhenCollected(reader: Leaving): void {
  dropped.unregister(reader)
}
