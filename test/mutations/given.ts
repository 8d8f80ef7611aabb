/**
 * The rules of options that a call is given from outside: G63 and G64.
 * @module
 */
import type { Mutation } from './mutation.ts'

/** Each takes one rule away. */
export const given: readonly Mutation[] = [
  {
    id: 'G63',
    breaks: 'headers of the cache are not sent',
    file: 'src/clients/http/sent-init.ts',
    find: 'return headers === undefined || headers === given ? sent : { ...sent, headers }',
    put: 'return sent',
    test: 'test/clients/http/header-options.test.ts',
  },
  {
    id: 'G63',
    breaks: 'the text of a missing value is no scope',
    file: 'src/clients/http/header-options.ts',
    find: `if (!['', 'undefined', 'null', 'NaN', '[object Object]'].includes(text)) return text`,
    put: 'if (text.length >= 0) return text',
    test: 'test/clients/http/header-options.test.ts',
  },
  {
    id: 'G63',
    breaks: 'headers of the cache are no part of the key',
    file: 'src/providers/passing-headers.ts',
    find: `const own = ['x-llmemo-*']`,
    put: 'const own: string[] = []',
    test: 'test/clients/http/header-options.test.ts',
  },
  {
    id: 'G63',
    breaks: 'a scope that the cache fixes is not changed by a header',
    file: 'src/clients/http/fetch-options.ts',
    find: '...(!isScopeFixed && askedScope !== undefined &&',
    put: '...(askedScope !== undefined &&',
    test: 'test/clients/http/fetch-options.test.ts',
  },
  {
    id: 'G63',
    breaks: 'a mode that the cache fixes is not changed by a header',
    file: 'src/clients/http/fetch-options.ts',
    find: '...(!isModeFixed && askedMode !== undefined &&',
    put: '...(askedMode !== undefined &&',
    test: 'test/clients/http/fetch-options.test.ts',
  },
  {
    id: 'G63',
    breaks: 'the call’s own options come first',
    file: 'src/clients/http/fetch-options.ts',
    find: 'return { options: layered(own, others), hasHeaders }',
    put: 'return { options: layered(others, own), hasHeaders }',
    test: 'test/clients/http/fetch-options.test.ts',
  },
  {
    id: 'G64',
    breaks: 'the options of the running code hold for its calls',
    file: 'src/engine/cached-call.ts',
    find: 'return current === undefined ? call : {',
    put: 'return current !== null ? call : {',
    test: 'test/cache/with.test.ts',
  },
  {
    id: 'G64',
    breaks: 'a lane is not open to calls with options of the running code',
    file: 'src/engine/settings/alike.ts',
    find: ' && ambient.current === undefined',
    put: '',
    test: 'test/cache/with.test.ts',
  },
  {
    id: 'G64',
    breaks: 'options within others keep those',
    file: 'src/engine/settings/ambient-options.ts',
    find: 'layered(options, this.current)',
    put: 'layered(options, undefined)',
    test: 'test/cache/with.test.ts',
  },
  {
    id: 'G64',
    breaks: 'a scope of the running code is one that the cache requires',
    file: 'src/engine/cached-call.ts',
    find: ' || ambient.current?.scope !== undefined',
    put: '',
    test: 'test/cache/with.test.ts',
  },
]
