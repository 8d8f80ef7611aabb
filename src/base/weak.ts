/**
 * References that keep nothing alive, and news of what was collected. Some runtimes have neither, such as workerd before 2025-05.
 * @module
 */

/** A reference to an object that does not keep it alive. */
export interface WeakReference<T> {
  deref(): T | undefined
}

/** Tells of what was collected. */
export interface CollectedObjects<Held> {
  register(object: object, held: Held, token?: object): void
  unregister(token: object): void
}

/** A reference to `object` that does not keep it alive, where the runtime can. */
export function weakReference<T extends object>(object: T): WeakReference<T> {
  return typeof WeakRef === 'function' ? new WeakRef(object) : { deref: () => object }
}

/** Calls `collected` for each object that was collected; never in a runtime that does not tell. */
export function collectedObjects<Held>(collected: (held: Held) => void): CollectedObjects<Held> {
  if (typeof FinalizationRegistry === 'function') return new FinalizationRegistry<Held>(collected)
  return { register: () => undefined, unregister: () => undefined }
}
