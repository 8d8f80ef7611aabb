/**
 * Values that follow the running code through everything that it awaits.
 * @module
 */
import type { AsyncLocalStorage } from 'node:async_hooks'
import { builtinModule } from './runtime.ts'

/** What is used of an `AsyncLocalStorage`. */
export type AsyncStorage<Value> = Pick<AsyncLocalStorage<Value>, 'getStore' | 'run'>

/** A new storage; `undefined` in a runtime without `AsyncLocalStorage`, such as a browser. */
export function asyncStorage<Value>(): AsyncStorage<Value> | undefined {
  const found: unknown =
    builtinModule((load) => load('node:async_hooks'))?.AsyncLocalStorage ?? Reflect.get(globalThis, 'AsyncLocalStorage')
  return isStorage<Value>(found) ? new found() : undefined
}

function isStorage<Value>(value: unknown): value is new () => AsyncLocalStorage<Value> {
  return typeof value === 'function'
}
