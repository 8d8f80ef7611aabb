/**
 * What each of the others is to the rows: something that is asked, in its own way, and that caches.
 * @module
 */
import { hash } from 'node:crypto'
import type { Question } from '../harness/payload.ts'
import type { Origin } from '../harness/origin.ts'

/** Someone who asks through a cache. */
export interface Caller {
  /** Asks for a whole answer. */
  ask(question: Question): Promise<unknown>
  /** Asks for a stream and reads all of it. Calls `first` at the first event. @returns the text */
  stream?(question: Question, first: () => void): Promise<string>
  close(): Promise<void> | void
}

/** A cache in memory around any call. */
export interface Around {
  /** The answer that is kept for this request; if there is none, the answer of `call`, which is then kept. */
  ask(request: object, call: () => Promise<unknown>): Promise<unknown>
  close(): Promise<void> | void
}

/** What one can do, in a word or two each. `no` begins what it cannot. */
export interface Abilities {
  readonly streams: string
  readonly bedrock: string
  readonly embeddings: string
  /** Equal calls at once of several processes. */
  readonly processes: string
  /** What bounds its memory by default. */
  readonly bound: string
}

/** What a user could pick. */
export interface Other {
  readonly name: string
  /** The package whose version is shown. */
  readonly package: string
  readonly abilities: Abilities
  /** With its answers in memory. */
  memory?(origin: Origin): Caller | Promise<Caller>
  /** With the answers of any SDK in memory. */
  around?(): Around
  /** With its answers in Redis and nowhere else. */
  redis?(origin: Origin, url: string): Promise<Caller>
  /** As it is set up for several processes over one Redis. @default as for `redis` */
  processes?(origin: Origin, url: string): Promise<Caller>
}

/** The key that a user makes for a request: SHA-256 of its JSON. */
export function keyOf(request: unknown): string {
  return hash('sha256', JSON.stringify(request))
}
