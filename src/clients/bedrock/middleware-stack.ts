/**
 * The middleware of a wrapped client: all that the given client has, also what its owner changes later, and what was changed on the wrapped
 * client alone. The given client's own stack is never changed.
 * @module
 */
import type { MiddlewareStack } from './sdk-client.ts'

/** The methods that only read a stack. Every other method changes it. */
const readingMethods = new Set(['clone', 'concat', 'applyToStack', 'identify', 'resolve'])

/** The stack of a wrapped client. */
export interface LayeredStack {
  /** What the wrapped client shows as its `middlewareStack`. */
  readonly stack: MiddlewareStack
  /** Whether the wrapped client's stack has changes of its own. */
  readonly isChanged: () => boolean
  /** A copy of the stack as it is now. */
  readonly current: () => MiddlewareStack
}

/** A stack over that of `client`. A change is kept and applied again to each copy, as the given stack may change as well. */
export function layeredStack(client: { readonly middlewareStack: MiddlewareStack }): LayeredStack {
  const changes: ((stack: MiddlewareStack) => unknown)[] = []
  const current = (): MiddlewareStack => {
    const stack = client.middlewareStack.clone()
    for (const change of changes) tryChange(stack, change)
    return stack
  }
  const stack: MiddlewareStack = new Proxy(client.middlewareStack, {
    get(_, name) {
      const method: unknown = Reflect.get(client.middlewareStack, name)
      if (typeof method !== 'function') return method
      return (...given: unknown[]): unknown => {
        // A plug-in is used once. What it adds is kept.
        if (name === 'use') return applyPlugin(given[0], stack)
        const own = current()
        const call = (target: MiddlewareStack): unknown => Reflect.apply(Reflect.get(target, name), target, given)
        const result = call(own)
        if (!readingMethods.has(String(name))) changes.push(call)
        return result === own ? stack : result
      }
    },
  })
  return { stack, current, isChanged: () => changes.length > 0 }
}

function applyPlugin(plugin: unknown, stack: MiddlewareStack): void {
  Reflect.apply(Reflect.get(Object(plugin), 'applyToStack'), plugin, [stack])
}

/** A change was possible when it was made. If the given client has since got an entry of the same name, that entry stays. */
function tryChange(stack: MiddlewareStack, change: (stack: MiddlewareStack) => unknown): void {
  try {
    change(stack)
  } catch {
    // The stack is as before.
  }
}
