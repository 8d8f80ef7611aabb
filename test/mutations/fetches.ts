/**
 * The rules by which a caching fetch is called as `fetch` is: G32.
 * @module
 */
import type { Mutation } from './mutation.ts'

/** Each takes one rule away. */
export const fetches: readonly Mutation[] = [
  {
    id: 'G32',
    breaks: 'an init of null is none',
    file: 'src/clients/http/snapshot.ts',
    find: 'if (given === undefined || given === null) return undefined',
    put: 'if (given === undefined) return undefined',
    test: 'test/clients/http/caching-fetch.test.ts',
  },
  {
    id: 'G32',
    breaks: 'an address is any object that can be made a text',
    file: 'src/clients/http/request.ts',
    find: 'input instanceof Request ? input.url : String(input)',
    put: `input instanceof Request ? input.url : Reflect.get(input, 'href')`,
    test: 'test/clients/http/caching-fetch.test.ts',
  },
  {
    id: 'G32',
    breaks: 'a signal of null takes that of the request away',
    file: 'src/clients/http/request.ts',
    find: 'if (init?.signal !== undefined) return init.signal ?? undefined',
    put: 'if (init?.signal) return init.signal',
    test: 'test/clients/http/caching-fetch.test.ts',
  },
  {
    id: 'G32',
    breaks: 'headers that can be read once are read once',
    file: 'src/clients/http/snapshot.ts',
    find: `if (typeof headers === 'object' && headers !== null && !isOfSdk) init['headers'] = copiedHeaders(headers)`,
    put: 'void isOfSdk',
    test: 'test/faults/found-adversary-2.test.ts',
  },
]
