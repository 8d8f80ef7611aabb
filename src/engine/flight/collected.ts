/**
 * Callers that drop an answer without reading it to its end.
 * @module
 */
import { collectedObjects } from '../../base/weak.ts'

/** What is left when an answer is dropped. */
interface Left {
  leave(): void
}

/**
 * The registration of one answer. It is an object of its own: what the registry knows is collected late, even after it has forgotten it, and a
 * reader holds its whole flight.
 */
class Registration {
  #left: Left | undefined

  constructor(left: Left) {
    this.#left = left
  }

  /** The answer was dropped. */
  leave(): void {
    this.#left?.leave()
  }

  /** The reader stays in its flight whatever becomes of the answer. */
  end(): void {
    this.#left = undefined
    dropped.unregister(this)
  }
}

// Not every runtime tells. There, a dropped answer stays open until the provider ends it.
const dropped = collectedObjects<Registration>((registration) => registration.leave())

/**
 * Lets `reader` leave its flight once the caller has dropped `answer` and the engine has collected it, as the platform's own `fetch` does.
 * `reader` must not hold `answer`. Once it is left or has failed, it does: an error remembers the objects of all functions that it came
 * through. So the owner of the answer ends this when the answer is over, in whatever way.
 * @returns what ends that: `reader` then stays in its flight whatever becomes of the answer
 */
export function leaveWhenCollected(answer: object, reader: Left): { end(): void } {
  const registration = new Registration(reader)
  dropped.register(answer, registration, registration)
  return registration
}
