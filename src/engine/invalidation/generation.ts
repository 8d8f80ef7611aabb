/**
 * Generations: the random text that a label has in the store until it is invalidated, its bytes there, and what is kept of several.
 * @module
 */
import { sha256 } from '../../base/digest.ts'

/** Labels to generations. Without a store, `''` stands for a label that was never invalidated. */
export type GenerationByLabel = Readonly<Record<string, string>>

/** What was in force when a fill began, to be compared with when its answer arrives. */
export interface GenerationSnapshot {
  readonly sequence: number
  readonly generations: GenerationByLabel
}

/** What a generation looks like. Its first letter says whether it stands for a first fill or for an invalidation. */
const form = /^[fi]-[0-9a-f-]{36}$/
const length = 38

/** A generation for a label that has none in the store, as nothing was filled under it yet. */
export function firstGeneration(): string {
  return `f-${crypto.randomUUID()}`
}

/** A generation for a label that is invalidated. */
export function newGeneration(): string {
  return `i-${crypto.randomUUID()}`
}

/** Whether this is the generation of a first fill. Nothing was invalidated by it. */
export function isFirst(generation: string): boolean {
  return generation.startsWith('f-')
}

/** Whether this text can be a generation. */
export function isGeneration(text: string): boolean {
  return form.test(text)
}

/** The bytes of a generation in the store. */
export function generationBytes(generation: string): Uint8Array {
  return new TextEncoder().encode(generation)
}

/**
 * The generation in a stored value. A damaged value counts as a generation under which nothing was filled. It is as short as any other, as
 * entries keep it in their heads.
 */
export function generationIn(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return undefined
  const text = value.byteLength === length ? new TextDecoder().decode(value) : ''
  return isGeneration(text) ? text : sha256(value)
}
