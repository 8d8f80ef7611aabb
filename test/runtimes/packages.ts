/**
 * The packages of a suite of its own, `npm run test:runtimes`, by the parts that are used: the compiler knows them where they are not installed.
 * @module
 */
import { globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const installed = join(import.meta.dirname, 'node_modules')

/** Cloudflare's workerd, as miniflare starts it. */
export interface Miniflare {
  dispatchFetch(address: string, init?: { readonly method: string; readonly body: string }): Promise<Response>
  getKVNamespace(binding: string): Promise<{ list(): Promise<{ readonly keys: readonly unknown[] }> }>
  dispose(): Promise<void>
}

/** What a worker is made of. */
export interface WorkerOptions {
  readonly modules: true
  readonly script: string
  readonly compatibilityDate: string
  readonly compatibilityFlags?: readonly string[]
  readonly kvNamespaces?: readonly string[]
  readonly bindings?: Readonly<Record<string, string>>
}

/** The runtime in which Next.js tries edge functions. */
export interface EdgeVM {
  evaluate(text: string): unknown
  dispatchFetch(address: string): Promise<Response>
}

const load = createRequire(join(installed, 'package.json'))

/** Starts a worker. */
export function startWorker(options: WorkerOptions): Miniflare {
  const { Miniflare }: { readonly Miniflare: new (options: WorkerOptions) => Miniflare } = load('miniflare')
  return new Miniflare(options)
}

/** An edge runtime with these globals beside its own. */
export function startEdge(more: object): EdgeVM {
  const { EdgeVM }: { readonly EdgeVM: new (options: { readonly extend: (globals: object) => object }) => EdgeVM } =
    load('@edge-runtime/vm')
  return new EdgeVM({ extend: (globals) => Object.assign(globals, more) })
}

/** The version of an installed package. */
export function versionOf(name: string): string {
  const { version }: { readonly version?: unknown } = JSON.parse(readFileSync(join(installed, name, 'package.json'), 'utf8'))
  return String(version)
}

/** The program in a package for this platform; `undefined` if there is none. Its installer, which would copy it elsewhere, has not run. */
export function programIn(pattern: string): string | undefined {
  const [found] = globSync(pattern, { cwd: installed })
  return found === undefined ? undefined : join(installed, found)
}
