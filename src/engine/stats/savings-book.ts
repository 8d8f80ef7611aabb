/**
 * What the counters tell a ledger of savings.
 * @module
 */
import type { StatsRow } from './cache-stats.ts'

/** The figures of a saving while they are added up. */
export type Figures = { -readonly [Name in keyof StatsRow]: number }

/** The names of the figures. */
export const figureNames = ['hits', 'misses', 'savedUsd', 'unpricedHits', 'savedTokens', 'savedMs'] as const

/** Figures that are all 0. */
export function noFigures(): Figures {
  return { hits: 0, misses: 0, savedUsd: 0, unpricedHits: 0, savedTokens: 0, savedMs: 0 }
}

/** Whose saving it is. */
export interface Saving {
  readonly scope: string
  readonly operation: string
  /** The model that was asked for. */
  readonly model: string
  /** In milliseconds since the epoch. @default now */
  readonly at?: number | undefined
}

/** Takes savings. */
export interface SavingsBook {
  note(saving: Saving, figures: Partial<Figures>): void
}
