/**
 * What a server of the tests was asked, and how often its clients went away; a test can wait for either.
 * @module
 */

/** What a server was asked, in the order in which requests came in whole. */
export class RequestLog<Request> {
  readonly requests: Request[] = []
  readonly #waiting = new Set<() => void>()
  #aborted = 0

  /** How many requests' clients went away before the answer's end. */
  get aborted(): number {
    return this.#aborted
  }

  /** Notes a request. */
  came(request: Request): void {
    this.requests.push(request)
    this.#changed()
  }

  /** Notes that a client went away. */
  wentAway(): void {
    this.#aborted++
    this.#changed()
  }

  /** Resolves as soon as that many requests have come. */
  untilRequests(number: number): Promise<void> {
    return this.#until(() => this.requests.length >= number)
  }

  /** Resolves as soon as that many requests' clients have gone away. */
  untilAborted(number: number): Promise<void> {
    return this.#until(() => this.#aborted >= number)
  }

  #changed(): void {
    for (const check of this.#waiting) check()
  }

  #until(reached: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!reached()) return
        this.#waiting.delete(check)
        resolve()
      }
      this.#waiting.add(check)
      check()
    })
  }
}
