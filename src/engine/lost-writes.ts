/**
 * Writes that the store did not take: what `flush` tells.
 * @module
 */

/** Counts the writes that the store did not take. */
export class LostWrites {
  #lost = 0
  #told = 0

  /** Notes what became of a write. */
  note(written: boolean): void {
    if (!written) this.#lost++
  }

  /** Waits for `work`. @returns whether no write was lost since the last time that this was told, or begun to be told */
  async noneBy(work: Promise<void>): Promise<boolean> {
    const told = this.#told
    await work
    const lost = this.#lost
    this.#told = lost
    return lost === told
  }
}
