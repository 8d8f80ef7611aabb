/**
 * The headers of a shared answer as the SDK reads them: two or three of them, by name. To copy all of them for each caller takes as long as to
 * look up an answer, so a caller's own are made only for one that does more.
 * @module
 */

/** Headers that are copied only if more is done than to read one by its name. */
export class LazyHeaders implements Headers {
  readonly #shared: Headers
  readonly #make: () => Headers
  #own: Headers | undefined

  /**
   * @param shared headers that are not changed, and say the same as those of the caller, except for `cache-status`
   * @param make makes the caller's own
   */
  constructor(shared: Headers, make: () => Headers) {
    if (!isHeaders) becomeHeaders()
    this.#shared = shared
    this.#make = make
  }

  /** The caller's own headers. */
  get own(): Headers {
    return (this.#own ??= this.#make())
  }

  get(name: string): string | null {
    return this.#read(name).get(name)
  }

  has(name: string): boolean {
    return this.#read(name).has(name)
  }

  append(name: string, value: string): void {
    this.own.append(name, value)
  }

  set(name: string, value: string): void {
    this.own.set(name, value)
  }

  delete(name: string): void {
    this.own.delete(name)
  }

  getSetCookie(): string[] {
    return this.own.getSetCookie()
  }

  forEach(callback: (value: string, key: string, parent: Headers) => void, thisArg?: unknown): void {
    for (const [name, value] of this.own) Reflect.apply(callback, thisArg, [value, name, this])
  }

  entries(): ReturnType<Headers['entries']> {
    return this.own.entries()
  }

  keys(): ReturnType<Headers['keys']> {
    return this.own.keys()
  }

  values(): ReturnType<Headers['values']> {
    return this.own.values()
  }

  [Symbol.iterator](): ReturnType<Headers['entries']> {
    return this.own.entries()
  }

  #read(name: unknown): Headers {
    if (this.#own !== undefined) return this.#own
    return typeof name !== 'string' || isCacheStatus(name) ? this.own : this.#shared
  }
}

function isCacheStatus(name: string): boolean {
  return name === 'cache-status' || (name !== 'content-type' && name.toLowerCase() === 'cache-status')
}

let isHeaders = false

/** A middleware of the caller's may ask what it has. Not done at import: to name `Headers` loads the platform's whole `fetch`. */
function becomeHeaders(): void {
  Object.setPrototypeOf(LazyHeaders.prototype, Headers.prototype)
  isHeaders = true
}
