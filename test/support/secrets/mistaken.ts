/**
 * Values of a wrong type, as JavaScript allows them, and runtimes that lack something.
 * @module
 */

/** `value` in the place of anything. */
export function mistaken(value: unknown): never {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return value as never
}

/** Runs `work` as in a runtime that has no modules of Node.js. */
export async function withoutModules(work: () => unknown): Promise<void> {
  const given = Object.getOwnPropertyDescriptor(process, 'getBuiltinModule') ?? {}
  Object.defineProperty(process, 'getBuiltinModule', { ...given, value: () => undefined })
  try {
    await work()
  } finally {
    Object.defineProperty(process, 'getBuiltinModule', given)
  }
}
