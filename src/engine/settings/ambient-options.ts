/**
 * Call options for all calls that some code makes, directly or by a framework that takes none.
 * @module
 */
import { type AsyncStorage, asyncStorage } from '../../base/async-storage.ts'
import type { CallOptions } from '../../call.ts'
import { Description, InvalidOptionError } from '../../errors.ts'
import { layered } from './call-options.ts'

/** The options that hold for the running code. */
export class AmbientOptions {
  // Made at first use. Until then a call pays nothing for it.
  #storage: AsyncStorage<CallOptions> | undefined

  /** The options that hold now; `undefined` if there are none. */
  get current(): CallOptions | undefined {
    return this.#storage?.getStore()
  }

  /**
   * Calls `work` with `options`, over those that hold already.
   * @throws {InvalidOptionError} in a runtime without `AsyncLocalStorage`: calls without their scope would share answers
   */
  run<Result>(options: CallOptions, work: () => Result): Result {
    this.#storage ??= asyncStorage()
    if (this.#storage !== undefined) return this.#storage.run(layered(options, this.current), work)
    const allowed = 'in no runtime without AsyncLocalStorage. Give each call its options instead, or headers such as x-llmemo-scope'
    throw new InvalidOptionError('with', new Description('called'), allowed)
  }
}
