/**
 * What an error may show of a value that is not ours: where in it, and of what kind. Names of members may be anything, as prompts and keys.
 * @module
 */
import { isShowable } from '../errors.ts'

/** A step from a value to one of its members. */
export type Step = string | number

/** Steps of a path that are shown. */
const maxSteps = 16

/** The path to a member: `messages[0].content`. A name that may be private is `["…"]`. @param name how the path calls the value itself */
export function pathOf(name: string, steps: readonly Step[]): string {
  const path = steps.slice(0, maxSteps).reduce<string>((before, step) => {
    if (typeof step === 'number') return `${before}[${step}]`
    if (!isShowable(step)) return `${before}["…"]`
    return before === '' ? step : `${before}.${step}`
  }, name)
  return steps.length > maxSteps ? `${path}…` : path
}

/** The class of an object by its tag: `Map`; `undefined` for one that its owner may have named as it likes. */
export function tagOf(value: object): string | undefined {
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  return isShowable(tag) || Object.hasOwn(globalThis, tag) ? tag : undefined
}
