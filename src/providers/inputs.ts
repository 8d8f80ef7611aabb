/**
 * Requests whose inputs are a list in one member, and answers with one output for each in the same order.
 * @module
 */
import { count } from '../json/object.ts'
import type { PerInput } from './endpoint.ts'
import { divided } from './shared-counts.ts'

/** Where inputs and outputs stand. */
interface InputPlaces {
  /** The member of the request that is one input, or the list of them. */
  readonly input: string
  /** The member of the answer that is the list of outputs. */
  readonly output: string
  /** The members of the answer that count something of all inputs. @default none */
  readonly counts?: readonly string[]
  /** Members of the answer that list something for each input as well. @default none */
  readonly lists?: readonly string[]
}

/** How such a request is taken apart. */
export function inputsIn({ input, output, counts = [], lists = [] }: InputPlaces): PerInput {
  const listed = [output, ...lists]
  return {
    split(request) {
      const given = request[input]
      if (!Array.isArray(given)) return typeof given === 'string' ? [{ ...request, [input]: [given] }] : undefined
      return given.length === 0 ? undefined : given.map((each: unknown) => Object.assign({}, request, { [input]: [each] }))
    },
    unite: (request, singles) => ({ ...request, [input]: singles.flatMap((single) => single[input]) }),
    share(answer, singles) {
      if (!listed.every((name) => answer[name] === undefined || hasLength(answer[name], singles.length)) || answer[output] === undefined)
        return undefined
      const sizes = singles.map((single) => Math.max(1, JSON.stringify(single[input]).length))
      const shares = divided(
        Object.fromEntries(counts.filter((name) => answer[name] !== undefined).map((name) => [name, answer[name]])),
        sizes,
      )
      return singles.map((_, at) => ({
        ...answer,
        ...Object.fromEntries(listed.flatMap((name) => elementAt(answer[name], name, at))),
        ...shares[at],
      }))
    },
    join(answers) {
      const [first = {}] = answers
      const joined = listed.filter((name) => first[name] !== undefined).map((name) => [name, answers.flatMap((answer) => answer[name])])
      const sums = counts
        .filter((name) => answers.every((answer) => typeof answer[name] === 'number'))
        .map((name) => [name, answers.reduce((sum, answer) => sum + count(answer[name]), 0)])
      return { ...first, ...Object.fromEntries(joined), ...Object.fromEntries(sums) }
    },
  }
}

function hasLength(list: unknown, length: number): boolean {
  return Array.isArray(list) && list.length === length
}

function elementAt(list: unknown, name: string, at: number): [string, unknown][] {
  return Array.isArray(list) ? [[name, [list[at]]]] : []
}
