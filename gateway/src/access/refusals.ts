/**
 * How many requests were refused, and why.
 * @module
 */

/** Counts refusals by reason. */
export class Refusals {
  readonly #counts = new Map<string, number>()

  /** Counts one. */
  count(reason: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1)
  }

  /** The counts in the text format of Prometheus. */
  prometheus(): string {
    const name = 'llmemo_gateway_refusals_total'
    const lines = Array.from(this.#counts, ([reason, count]) => `${name}{reason="${reason}"} ${count}\n`)
    return `# HELP ${name} Requests that were refused.\n# TYPE ${name} counter\n${lines.join('')}`
  }
}
