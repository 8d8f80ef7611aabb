/**
 * What tests of recordings share.
 * @module
 */

/** The error of a call. */
export async function errorOf(call: () => PromiseLike<unknown>): Promise<unknown> {
  try {
    await call()
  } catch (error) {
    return error
  }
  throw new Error('the call did not fail')
}
