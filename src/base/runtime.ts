/**
 * What differs between runtimes: modules of Node.js, which some do not have, and work that follows at once.
 * @module
 */
import { systemClock, unref } from '../clock.ts'

/** Whether the runtime says that it has a module of Node.js, such as `node:zlib`. That is cheap, where loading it takes milliseconds. */
export function hasBuiltinModule(name: string): boolean {
  return builtinModule((load) => load('node:module'))?.isBuiltin?.(name) === true
}

/**
 * Loads a module of Node.js, by a function that calls the given loader with its name. Not an import, which would fail to load in a runtime
 * without the module.
 * Source: https://nodejs.org/api/process.html#processgetbuiltinmoduleid
 * @returns `undefined` in a runtime without the module
 */
export function builtinModule<Module>(load: (loader: NodeJS.Process['getBuiltinModule']) => Module): Partial<Module> | undefined {
  // Types claim that the process is always there and whole.
  const runtime: Partial<Pick<NodeJS.Process, 'getBuiltinModule'>> | undefined = globalThis.process
  const loader = runtime?.getBuiltinModule
  if (typeof loader !== 'function') return undefined
  try {
    return load(loader.bind(runtime)) ?? undefined
  } catch {
    return undefined
  }
}

/** Calls `callback` once the running code and all promises that are ready have had their turn. It keeps the process alive until then. */
export function soon(callback: () => void): void {
  if (typeof setImmediate === 'function') setImmediate(callback)
  else setTimeout(callback, 0)
}

/** Like {@link soon}, but does not keep the process alive. */
export function soonIfAlive(callback: () => void): void {
  if (typeof setImmediate === 'function') unref(setImmediate(callback))
  else systemClock.after(0, callback)
}
