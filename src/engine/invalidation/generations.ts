/**
 * Invalidation in constant time: each label (a tag, an operation, a model, a scope, everything) has a generation, and an entry is good only
 * while the generations of all its labels are those of the time when its fill began. To invalidate a label is to give it a new one.
 * Comparing generations rather than times makes clocks that disagree harmless. For single entries, see `removal-labels.ts`.
 *
 * Over a store, a label gets a random generation at its first fill. If the store lost it, every entry with that label is a miss: without its
 * generation, nothing says whether the label was invalidated.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { type GenerationByLabel, type GenerationSnapshot, firstGeneration, isFirst, newGeneration } from './generation.ts'
import {
  currentOf,
  isCurrent,
  type KnownLabel,
  type Noted,
  type Proposal,
  type Publication,
  type Reading,
  unknownLabel,
  type Unpublished,
  unread,
} from './known-label.ts'
import { LabelTable, maxLabels } from './label-table.ts'
import { everything, removals } from './labels.ts'
import { NewsLimit } from './news-limit.ts'
import { isRemovalLabel } from './removal-labels.ts'

/** What this process knows of the generations. */
export class Generations {
  /** What is known of each label. */
  readonly labels = new LabelTable(
    (label, { proposal }) => label === everything || label === removals || proposal === 'sending' || this.#unpublished.has(label),
  )
  /** Labels that this process invalidated and the store does not know of yet. */
  readonly #unpublished = new Map<string, Unpublished>()
  readonly #clock: Clock
  readonly #news: NewsLimit
  readonly #shared: boolean
  readonly #delay: number
  #sequence = 0
  /** What was read earlier than in this sequence must be read again. */
  #validFrom = 0

  /**
   * @param shared whether other processes may invalidate as well, through the store
   * @param delay milliseconds for which a generation read from the store is good
   */
  constructor(clock: Clock, shared: boolean, delay: number) {
    this.#clock = clock
    this.#news = new NewsLimit(clock)
    this.#shared = shared
    this.#delay = delay
  }

  /** What is the case now, for a reading of the store that begins. */
  read(): Reading {
    return { sequence: this.#sequence, at: this.#clock.monotonic() }
  }

  /** Those of `labels` whose generations must be read from the store before they are relied on. */
  outdated(labels: readonly string[]): string[] {
    return this.#shared ? labels.filter((label) => this.#isDue(label)) : []
  }

  /** Those of these removal labels that are to be read along with their entries. While nothing was ever removed, entries say so themselves. */
  unsure(labels: readonly string[]): string[] {
    const known = this.known(removals)
    // A process that has read nothing yet does not ask for many at a venture. Of one that the store did not take, it may say more by now.
    const areSure = known === undefined ? labels.length > 1 : known === '' || isFirst(known)
    return this.outdated(areSure ? labels.filter((label) => this.labels.get(label)?.proposal === 'local') : labels)
  }

  /** Those labels of an entry whose generations must be read from the store before it is served. */
  toConfirm(generations: GenerationByLabel): string[] {
    return (this.#shared ? Object.keys(generations) : []).filter((label) => {
      if (!isRemovalLabel(label) || this.#isUntouched(generations)) return !isRemovalLabel(label) && this.#isDue(label)
      // One that the store lost, and got again from another process, is another one though nothing was removed.
      const known = this.labels.get(label)
      return this.#isSame(known, generations[label]) ? this.#isDue(label) : !this.#isRecent(known)
    })
  }

  /** Those of `labels` for which the store is to be asked to keep a generation, if it has none. */
  unfilled(labels: readonly string[]): string[] {
    if (!this.#shared) return []
    return labels.filter((label) => {
      const known = this.labels.get(label)
      return currentOf(known) === '' || known?.proposal === 'local'
    })
  }

  /**
   * Makes a generation for the first fill of `label`. It holds at once, so that nothing waits until the store knows it.
   * @returns what the store is to be asked to keep, if it has none
   */
  propose(label: string): string {
    const known = this.labels.get(label) ?? unknownLabel
    const generation = firstGeneration()
    // What was filled under a generation that the store did not take stays good in this process, until the store says more.
    if (known.proposal === 'local') return generation
    this.#set(label, { ...known, generation, alias: undefined, proposal: 'sending', replaced: known.replaced })
    return generation
  }

  /** The store was asked to keep a generation that this process proposed. */
  proposed(label: string, { generation, found, writing }: Proposal): void {
    const known = this.labels.get(label)
    if (known?.proposal === 'local' && found !== undefined) {
      this.#note(label, found, { known: { ...known, believedFrom: ++this.#sequence }, checked: writing })
    }
    // The label was invalidated meanwhile.
    if (known?.proposal !== 'sending' || known.generation !== generation) return
    const { proposal: _, ...settled } = known
    // What was read before may say that there is none.
    const believed = { ...settled, checked: writing, believedFrom: ++this.#sequence }
    if (found === undefined) this.#set(label, { ...known, proposal: 'local', checked: unread })
    else if (found === generation) this.#set(label, believed)
    // Another process filled it first. It had no generation when this process read it, so nothing was invalidated in between.
    else if (isFirst(found)) this.#set(label, { ...believed, generation: found, alias: generation })
    else this.#note(label, found, { known: believed, checked: writing })
  }

  /**
   * Takes note of a generation that was read from the store; `undefined` means that the label has none there.
   * @param reading the moment when it began: what this process itself did since then, or learnt by a later one, is not undone by it
   */
  learn(label: string, generation = '', reading: Reading): void {
    const known = this.labels.get(label) ?? unknownLabel
    if (reading.sequence < Math.max(known.believedFrom, this.#validFrom) || reading.at < known.checked.at) return
    // The store is about to say more.
    if (known.proposal === 'sending' && (generation === '' || isFirst(generation))) return
    const own = this.#unpublished.get(label)
    // A client that lost its connection sends a write again which was done already, and by now another one has been. The same may happen to
    // a proposal of which this process knows only that the store did not answer. What is outdated must not become good again.
    const isBack = generation !== '' && (generation === known.replaced || (known.proposal === 'local' && generation === known.generation))
    if (own === undefined && !isBack) this.#note(label, generation, { known, checked: reading })
    // Another process invalidated the label after this one did, or may have.
    else if (own?.stored !== generation) this.advance(label, newGeneration(), generation)
    else this.#set(label, { ...known, checked: reading })
  }

  /**
   * Another process says that it invalidated `label`. That holds at once, until the label is read from the store, which is done before it is
   * relied on again: messages may be out of order, or come from another program.
   */
  onDeclared(label: string, generation: string): void {
    const known = this.labels.get(label) ?? unknownLabel
    if (known.generation === generation) return
    // Too many messages, which may be false, must not keep the label from being relied on. It is read again once that time is over.
    if (!this.#news.admits(label)) {
      const at = Math.min(known.checked.at, this.#news.until - this.#delay)
      return this.#set(label, { ...known, checked: { ...known.checked, at } })
    }
    // What is being read just now may be older.
    this.#set(label, { ...known, heard: generation, checked: unread, believedFrom: ++this.#sequence })
  }

  /** Messages of other processes may have been lost: every label is read from the store before it is relied on again. */
  mustRevalidate(): void {
    this.#validFrom = ++this.#sequence
  }

  /**
   * The new generation of a label that is invalidated by this process. If there is a store, it holds until the store knows it.
   * @param stored what the store has in its place
   */
  advance(label: string, generation: string, stored = this.#stored(label)): void {
    this.#note(label, generation, { known: this.labels.get(label) ?? unknownLabel, checked: this.read() })
    if (!this.#shared) return
    this.#unpublished.set(label, { generation, stored })
    if (this.#unpublished.size <= maxLabels / 2) return
    this.#unpublished.clear()
    this.advance(everything, generation)
  }

  /**
   * The store knows of the invalidation that `generation` was made for. From now on `written` holds, which is another generation: other
   * processes may have invalidated the label since, and what was filled under `generation` must not become good again by a late write.
   */
  published(label: string, { generation, written, writing }: Publication): void {
    const known = this.labels.get(label)
    const own = this.#unpublished.get(label)
    if (own?.generation !== generation || known === undefined) return
    this.#unpublished.delete(label)
    this.#note(label, written, { known: { ...known, believedFrom: ++this.#sequence }, checked: writing, replaced: own.stored })
  }

  /** Those of `labels` that the store does not know of yet, with their generations. */
  unpublished(labels: readonly string[]): (readonly [label: string, generation: string])[] {
    return (this.#unpublished.size === 0 ? [] : labels).flatMap((label) => {
      const own = this.#unpublished.get(label)
      return own === undefined ? [] : [[label, own.generation] as const]
    })
  }

  /** The generation of `label`, `''` if the store has none; `undefined` if it was never read. */
  known(label: string): string | undefined {
    const known = this.labels.get(label)
    return known === undefined ? undefined : currentOf(known)
  }

  /** What is in force. */
  snapshot(labels: readonly string[]): GenerationSnapshot {
    return {
      sequence: this.#sequence,
      generations: Object.fromEntries(labels.map((label) => [label, currentOf(this.labels.get(label))])),
    }
  }

  /** Whether an entry that was filled under `generations` is still good. */
  matches(generations: GenerationByLabel): boolean {
    for (const label in generations) {
      if (label === removals || this.#isSame(this.labels.get(label), generations[label])) continue
      if (!isRemovalLabel(label) || !this.#isUntouched(generations)) return false
    }
    return true
  }

  /**
   * Whether that is so, and the store need not be asked about it.
   * @param at when, by the monotonic clock @default now, before anything is read
   */
  matchesWithoutRead(generations: GenerationByLabel, at?: number, now?: number): boolean {
    if (!this.#shared) return this.matches(generations)
    const since = at === undefined ? this.#since(now) : at - this.#delay
    for (const label in generations) {
      if (label === removals || this.#isConfirmed(label, generations[label], since)) continue
      if (!isRemovalLabel(label) || !this.#isConfirmed(removals, generations[removals], since)) return false
    }
    return true
  }

  /** Whether this process saw any of `labels` change after `sequence`. */
  haveChangedSince(labels: readonly string[], sequence: number): boolean {
    return this.#sequence > sequence && labels.some((label) => label !== removals && (this.labels.get(label)?.changedIn ?? 0) > sequence)
  }

  /** Whether nothing was removed since an entry with these generations was filled. */
  #isUntouched(generations: GenerationByLabel): boolean {
    return this.#isSame(this.labels.get(removals), generations[removals])
  }

  #isConfirmed(label: string, generation: string | undefined, since: number): boolean {
    return this.#isSame(this.labels.get(label), generation) && this.#isChecked(label, since) && !this.#unpublished.has(label)
  }

  /** Without its generation, an entry from a store may have been invalidated. */
  #isSame(known: KnownLabel | undefined, generation = ''): boolean {
    return (generation !== '' || !this.#shared) && isCurrent(known, generation)
  }

  /** Since when a generation must have been read. Without a delay none is recent enough, even while the clock stands still. */
  #since(now = this.#clock.monotonic()): number {
    return this.#delay === 0 ? Infinity : now - this.#delay
  }

  /** Whether what is known of `label` holds without a read. What is known of a removal label does so while `removals` stays as it was. */
  #isChecked(label: string, since: number): boolean {
    return this.#isRecent(this.labels.get(label), since) || (!this.#isDue(label) && this.#isRecent(this.labels.get(removals), since))
  }

  #isDue(label: string): boolean {
    const known = this.labels.get(label)
    if (known === undefined || this.#isRecent(known)) return known === undefined
    return !isRemovalLabel(label) || (this.labels.get(removals)?.changedIn ?? Infinity) > known.checked.sequence
  }

  #isRecent(known: KnownLabel | undefined, since = this.#since()): boolean {
    return known !== undefined && known.checked.at >= since && known.checked.sequence >= this.#validFrom
  }

  #note(label: string, generation: string, { known, checked, replaced }: Noted): void {
    const isSame = known.generation === generation
    if (!isSame) this.#sequence++
    this.#set(label, {
      generation,
      checked,
      changedIn: isSame ? known.changedIn : this.#sequence,
      believedFrom: known.believedFrom,
      replaced: replaced ?? (isSame ? known.replaced : known.generation),
      ...(isSame && { alias: known.alias }),
    })
  }

  /** What the store had for this label when it was last read. */
  #stored(label: string): string | undefined {
    return (this.#unpublished.get(label) ?? { stored: this.labels.get(label)?.generation }).stored
  }

  #set(label: string, known: KnownLabel): void {
    this.labels.set(label, known)
    if (!this.labels.isFull) return
    // The store still knows them. They are read again when they are needed, and until then nothing under them is served.
    if (this.#shared) return this.labels.forgetOldest()
    const generation = `${this.labels.get(everything)?.generation ?? ''}+`
    this.labels.clear()
    this.labels.set(everything, { ...unknownLabel, generation, changedIn: ++this.#sequence })
  }
}
