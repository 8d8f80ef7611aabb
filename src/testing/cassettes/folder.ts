/**
 * A folder of cassettes: one file for each, named so that a person finds it and a key too, and the bytes beside.
 * @module
 */
import * as fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Cassette } from './cassette.ts'
import { cassetteIn, cassetteText } from './cassette.ts'

/** Digits of the key in a file's name. */
const keyDigits = 8

/** A cassette, and the name of its file. */
export interface FiledCassette {
  readonly name: string
  readonly cassette: Cassette
}

/** A folder of cassettes. Every method may throw an error of the file system. */
export class CassetteFolder {
  readonly path: string
  /** Files by the digits of the key in their names, as they were when the folder was last read. */
  #names: ReadonlyMap<string, readonly string[]> | undefined

  constructor(path: string) {
    this.path = path
  }

  /** The names of all cassettes, in order. */
  names(): string[] {
    return [...this.#read().values()].flat().toSorted()
  }

  /** The cassette for a key. @throws {EntryError} if the file is no cassette */
  find(key: string): FiledCassette | undefined {
    for (const name of this.namesFor(key)) {
      const text = this.#text(name)
      const cassette = text === undefined ? undefined : cassetteIn(text)
      if (cassette?.call['key'] === key) return { name, cassette }
    }
    return undefined
  }

  /** The names of the files that may hold the cassette for a key. */
  namesFor(key: string): readonly string[] {
    const digits = key.slice(0, keyDigits)
    // A file that is not known may have been written by another process.
    return this.#names?.get(digits) ?? this.#read().get(digits) ?? []
  }

  /** The cassette in a file; `undefined` if it is none. */
  load(name: string): Cassette | undefined {
    try {
      const text = this.#text(name)
      return text === undefined ? undefined : cassetteIn(text)
    } catch {
      return undefined
    }
  }

  /** The bytes of a file beside a cassette. */
  bytes(name: string): Uint8Array {
    return fs.readFileSync(join(this.path, basename(name)))
  }

  /** Writes a cassette in place of an earlier one for the same key. @returns the name of its file */
  write(key: string, slug: string, { cassette, beside }: { readonly cassette: Cassette; readonly beside: Beside }): string {
    fs.mkdirSync(this.path, { recursive: true })
    const earlier = this.#find(key)
    const taken = this.#read().get(key.slice(0, keyDigits)) ?? []
    const isTaken = taken.some((name) => name !== earlier)
    const base = `${slug}-${key.slice(0, isTaken ? 2 * keyDigits : keyDigits)}`
    const files = beside.files(base)
    for (const [name, bytes] of files) this.#replace(name, bytes)
    this.#replace(`${base}.json`, beside.named(cassetteText(cassette), base))
    this.#drop(earlier, base, files)
    this.#names = undefined
    return `${base}.json`
  }

  /** The name of the cassette for a key, if there is a sound one. */
  #find(key: string): string | undefined {
    try {
      return this.find(key)?.name
    } catch {
      return undefined
    }
  }

  /** Removes what the earlier cassette had and the new one has not. */
  #drop(earlier: string | undefined, base: string, files: ReadonlyMap<string, Uint8Array>): void {
    if (earlier === undefined) return
    const before = earlier.replace(/json$/, '')
    for (const name of fs.readdirSync(this.path)) {
      const isOld = name === earlier ? name !== `${base}.json` : name.startsWith(before) && name.endsWith('.bin') && !files.has(name)
      if (isOld) fs.rmSync(join(this.path, name), { force: true })
    }
  }

  /** Writes a file in one step: another process reads the earlier one or this one. */
  #replace(name: string, content: string | Uint8Array): void {
    const path = join(this.path, name)
    const draft = join(dirname(path), `.${name}.${process.pid}.tmp`)
    fs.writeFileSync(draft, content)
    fs.renameSync(draft, path)
  }

  #text(name: string): string | undefined {
    try {
      return fs.readFileSync(join(this.path, name), 'utf8')
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  #read(): ReadonlyMap<string, readonly string[]> {
    const names = new Map<string, string[]>()
    for (const name of this.#files()) {
      const digits = /-([0-9a-f]{8})(?:[0-9a-f]{8})?\.json$/.exec(name)?.[1]
      if (digits !== undefined) names.set(digits, [...(names.get(digits) ?? []), name])
    }
    this.#names = names
    return names
  }

  #files(): readonly string[] {
    try {
      return fs.readdirSync(this.path)
    } catch (error) {
      if (isMissing(error)) return []
      throw error
    }
  }
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && Reflect.get(error, 'code') === 'ENOENT'
}

/** The bytes that lie beside one cassette. */
export class Beside {
  readonly #bytes = new Map<string, Uint8Array>()
  /** What stands for the name of the cassette until it has one. */
  readonly #unnamed = crypto.randomUUID()

  /** Puts bytes beside. @returns the name of their file, with a random name in place of the cassette's own */
  readonly add = (bytes: Uint8Array, digest: string): string => {
    this.#bytes.set(digest, bytes)
    return `${this.#unnamed}.${digest}.bin`
  }

  /** The files, for a cassette of this name. */
  files(base: string): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.#bytes].map(([digest, bytes]) => [`${base}.${digest}.bin`, bytes]))
  }

  /** The text of a cassette, with its name in place of the random one. */
  named(text: string, base: string): string {
    return text.replaceAll(this.#unnamed, base)
  }
}
