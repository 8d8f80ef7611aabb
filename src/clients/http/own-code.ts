/**
 * What the text of a method tells about it: whether it uses state that only one object has, and what it names.
 * @module
 */

/** Any function. */
export type Method = (this: unknown, ...given: unknown[]) => unknown

/** Whether `value` is a function. */
export function isMethod(value: unknown): value is Method {
  return typeof value === 'function'
}

/** Comments and texts, which may hold anything. */
const prose = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g

/**
 * `this.#member`, `#member in this`, and `this` as an argument or in a variable. The last is how compilers write private members for older
 * runtimes, and how a `WeakMap` holds state.
 */
const identity = /\.\s*#[\p{L}_$]|#[\p{L}_$][\w$]*\s+in\b|[(,]\s*this\s*[,)]|=\s*this\b(?!\s*[.[(?])/u

const known = new WeakMap<Method, string>()

/** The text of a function without its comments and its quoted texts. */
export function codeOf(method: Method): string {
  const code = known.get(method) ?? Function.prototype.toString.call(method).replace(prose, '')
  known.set(method, code)
  return code
}

/** Whether a method works only on the very object that its class constructed: it has private members, or a map of objects knows it. */
export function usesIdentity(method: Method): boolean {
  return identity.test(codeOf(method))
}

/** Whether the code of a method names the member `name`. */
export function names(method: Method, name: string): boolean {
  return (
    codeOf(method)
      .match(/[\w$]+/g)
      ?.includes(name) === true
  )
}

/** The prototypes of an object, the nearest first, without that of plain objects. */
export function prototypesOf(object: object): object[] {
  const found: object[] = []
  for (let each: unknown = Object.getPrototypeOf(object); typeof each === 'object' && each !== null; each = Object.getPrototypeOf(each)) {
    if (each !== Object.prototype) found.push(each)
  }
  return found
}
