/**
 * A checker of data by its shape: which names there are, which must be there, and what the values may be.
 * @module
 */
import { isJsonObject } from '../../src/json/object.ts'

/** What a value must be: a leaf says what, if it is not that. In an object, `name!` must be there, and `*` stands for any name. */
export type Shape = Leaf | readonly [Shape] | { readonly [name: string]: Shape }
type Leaf = (value: unknown) => string | undefined

const leaf =
  (must: string, is: (value: unknown) => boolean): Leaf =>
  (value) =>
    is(value) ? undefined : must

/** Leaves. */
export const text = leaf('a text', (value) => typeof value === 'string')
export const count = leaf('a number', (value) => typeof value === 'number')
export const flag = leaf('true or false', (value) => typeof value === 'boolean')
export const anything = leaf('anything', () => true)
export const oneOf = (...allowed: readonly unknown[]): Leaf => leaf(`one of ${allowed.join(', ')}`, (value) => allowed.includes(value))
export const like = (pattern: RegExp, must: string): Leaf => leaf(must, (value) => typeof value === 'string' && pattern.test(value))

/**
 * Everything wrong with a value, one sentence each.
 * @param isExpression whether a text is one that the tool replaces by something else
 */
export function mistakesOfShape(
  path: string,
  value: unknown,
  shape: Shape,
  isExpression: (text: string) => boolean = () => false,
): string[] {
  if (typeof value === 'string' && isExpression(value)) return []
  if (typeof shape === 'function') {
    const must = shape(value)
    return must === undefined ? [] : [`${path}: must be ${must}`]
  }
  if (isList(shape)) {
    if (!Array.isArray(value)) return [`${path}: must be a list`]
    return value.flatMap((each: unknown, index) => mistakesOfShape(`${path}[${index}]`, each, shape[0], isExpression))
  }
  if (!isJsonObject(value)) return [`${path}: must be an object`]
  const missing = Object.keys(shape).filter((name) => name.endsWith('!') && value[name.slice(0, -1)] === undefined)
  const below = Object.entries(value).flatMap(([name, member]) => {
    const found = shape[name] ?? shape[`${name}!`] ?? shape['*']
    return found === undefined ? [`${path}: has an unknown ${name}`] : mistakesOfShape(`${path}.${name}`, member, found, isExpression)
  })
  return [...missing.map((name) => `${path}: has no ${name.slice(0, -1)}`), ...below]
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape)
}
