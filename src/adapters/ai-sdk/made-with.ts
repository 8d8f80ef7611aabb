/**
 * What a model of the AI SDK was made with, beside its name: settings, and members that it adds to each request.
 * @module
 */
import { membersOf, type Members, type NamedModel } from './contract.ts'

/** What a model shows of how it was made. The SDK's own models show both, models of others may show nothing. */
export interface ShownParts {
  /** What its provider made it with. */
  readonly config: Members
  /** What the caller made it with. */
  readonly settings: Members
}

/** What a model shows of how it was made. */
export function partsOf(model: NamedModel): ShownParts {
  return { config: membersOf(Reflect.get(model, 'config')), settings: membersOf(Reflect.get(model, 'settings')) }
}

/** What a model was made with, as texts for the key. */
export interface MadeWith {
  /** What decides its answers; `undefined` if it shows nothing of the kind. */
  readonly made: string | undefined
  /** What may prove who asks. */
  readonly secrets: readonly (readonly [name: string, value: unknown])[]
  /** Whether it cannot all be said, as it is nested too deeply. */
  readonly isTooDeep: boolean
}

/** Members of a configuration that are read by themselves, or only name what the model does. */
const readElsewhere = new Set(['provider', 'baseURL', 'baseUrl', 'url', 'headers'])

/** Reads what a model was made with. Functions are left out: a provider that is made again has new ones that do the same. */
export function madeWith({ config, settings }: ShownParts): MadeWith {
  const [ofConfig, ofSettings] = [new Sayer(false), new Sayer(true)]
  const said = [
    { members: config, sayer: ofConfig },
    { members: settings, sayer: ofSettings },
  ].map(({ members, sayer }) =>
    Object.entries(members)
      .filter(([name]) => !readElsewhere.has(name))
      .map(([name, value]): [string, unknown] => [name, sayer.say(value)])
      .filter(([, value]) => value !== undefined)
      .toSorted(([first], [second]) => (first < second ? -1 : 1)),
  )
  const plain = said.map((entries) => entries.filter(([name, value]) => !isSecret(name, value)))
  return {
    made: plain.every((entries) => entries.length === 0) ? undefined : JSON.stringify(plain),
    secrets: said.flatMap((entries) => entries.filter(([name, value]) => isSecret(name, value))),
    isTooDeep: ofConfig.isTooDeep || ofSettings.isTooDeep,
  }
}

/** Whether a member may be a credential. A number, as in `maxTokens`, is none, and nor is a list, as in `stopTokens`. */
function isSecret(name: string, value: unknown): boolean {
  const isText = typeof value === 'string' || (typeof value === 'object' && value !== null && !Array.isArray(value))
  return isText && /(?:key|token|secret|password|credential)(?:id)?s?$/i.test(name)
}

/** Levels of nesting that are read. */
const maxDepth = 200

/** Says values as JSON. What JSON has no form for is a list that begins with the name of its kind. */
class Sayer {
  isTooDeep = false
  readonly #readsClasses: boolean
  readonly #path: object[] = []

  /** @param readsClasses whether the members of an object of any class count. Those of a provider's own objects change by themselves. */
  constructor(readsClasses: boolean) {
    this.#readsClasses = readsClasses
  }

  /** The value as JSON; `undefined` for a function, or for an object that says nothing. */
  say(value: unknown): unknown {
    if (typeof value === 'number' && !Number.isFinite(value)) return ['number', String(value)]
    if (typeof value === 'bigint') return ['bigint', String(value)]
    if (typeof value !== 'object' || value === null) return typeof value === 'function' || typeof value === 'symbol' ? undefined : value
    if (this.#path.includes(value)) return undefined
    if (this.#path.length >= maxDepth) {
      this.isTooDeep = true
      return undefined
    }
    this.#path.push(value)
    const said = this.#object(value)
    this.#path.pop()
    return said
  }

  #object(value: object): unknown {
    if (Array.isArray(value)) return value.map((item) => this.say(item) ?? null)
    if (value instanceof Date || value instanceof URL || value instanceof RegExp) {
      return [value.constructor.name, value instanceof Date ? value.getTime() : String(value)]
    }
    if (value instanceof Map || value instanceof Set) return [value.constructor.name, this.say([...value])]
    if (value instanceof ArrayBuffer) return ['bytes', Array.from(new Uint8Array(value))]
    if (ArrayBuffer.isView(value)) return ['bytes', Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))]
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null && !this.#readsClasses) return undefined
    return this.#members(value)
  }

  #members(object: object): unknown {
    const said = Object.entries(object).map(([name, member]): [string, unknown] => [name, this.say(member)])
    const known = said.filter(([, member]) => member !== undefined)
    // An object of functions says nothing.
    return known.length === 0 && said.length > 0 ? undefined : Object.fromEntries(known)
  }
}
