/**
 * The same rules as those of clients, for frameworks, `cache.call` and a `fetch` by hand: G01, G02, G05, G06 and G09.
 * @module
 */
import type { Mutation } from './mutation.ts'

const models = 'test/adapters/ai-sdk/models-apart.test.ts'
const langchain = 'test/adapters/langchain/langchain.test.ts'
const byHand = 'test/faults/found-adversary-2.test.ts'

/** Each takes one rule away. */
export const otherWays: readonly Mutation[] = [
  {
    id: 'G01',
    breaks: 'a token that a model of the AI SDK fetches makes no scope',
    file: 'src/adapters/ai-sdk/model-call.ts',
    find: "rotated: ['authorization']",
    put: 'rotated: []',
    test: models,
  },
  {
    id: 'G01',
    breaks: 'a model of LangChain that says nothing but its type is not cached',
    file: 'src/adapters/langchain/model-cache.ts',
    find: ' || nameless.test(llmKey)) return null',
    put: ') return null',
    test: langchain,
  },
  {
    id: 'G01',
    breaks: 'a model of LangChain whose parameters are none is not cached',
    file: 'src/adapters/langchain/agent-calls.ts',
    find: ' || Object.keys(membersOf(params)).length === 0) return undefined',
    put: ') return undefined',
    test: langchain,
  },
  {
    id: 'G01',
    breaks: 'the credential in the headers of cache.call makes the scope',
    file: 'src/cache/answer-origin.ts',
    find: 'const proof = credential ?? credentialOf(sent)',
    put: "const proof = credential ?? ''",
    test: byHand,
  },
  {
    id: 'G02',
    breaks: 'a model whose address comes later is not cached',
    file: 'src/adapters/ai-sdk/model-call.ts',
    find: 'isTooDeep || origin === later || isContinued',
    put: 'isTooDeep || isContinued',
    test: models,
  },
  {
    id: 'G02',
    breaks: 'what a model of the AI SDK was made with counts',
    file: 'src/adapters/ai-sdk/model-call.ts',
    find: ', ...(made !== undefined && { made }) }',
    put: ' }',
    test: models,
  },
  {
    id: 'G02',
    breaks: 'a map that a model was made with counts by its content',
    file: 'src/adapters/ai-sdk/made-with.ts',
    find: '    if (value instanceof Map || value instanceof Set) return [value.constructor.name, this.say([...value])]\n',
    put: '',
    test: models,
  },
  {
    id: 'G02',
    breaks: 'a model that cannot be said has no key',
    file: 'src/adapters/ai-sdk/made-with.ts',
    find: '      this.isTooDeep = true\n',
    put: '',
    test: models,
  },
  {
    id: 'G02',
    breaks: 'headers of a model count in any form',
    file: 'src/adapters/ai-sdk/model-call.ts',
    find: 'return Object.fromEntries(pairs.filter(isPair))',
    put: 'return membersOf(headers)',
    test: models,
  },
  {
    id: 'G02',
    breaks: 'the address of a model counts in any form',
    file: 'src/adapters/ai-sdk/model-call.ts',
    find: "typeof found === 'string' ? found : found instanceof URL ? found.href : undefined",
    put: "typeof found === 'string' ? found : undefined",
    test: models,
  },
  {
    id: 'G05',
    breaks: 'the address of a model of the AI SDK counts',
    file: 'src/adapters/ai-sdk/model-call.ts',
    find: "...(typeof origin === 'string' && { origin }),",
    put: '',
    test: models,
  },
  {
    id: 'G06',
    breaks: 'the request of cache.call that was keyed is copied',
    file: 'src/cache/answer-origin.ts',
    find: 'request: ownCopy(request) }',
    put: 'request }',
    test: 'test/cache/changed-requests.test.ts',
  },
  {
    id: 'G06',
    breaks: 'an ArrayBuffer that was keyed is copied',
    file: 'src/clients/http/snapshot.ts',
    find: 'if (body instanceof ArrayBuffer) return body.slice(0)',
    put: 'if (body instanceof ArrayBuffer) return body',
    test: byHand,
  },
  {
    id: 'G06',
    breaks: 'the headers of a Request that were keyed are copied',
    file: 'src/clients/http/snapshot.ts',
    find: '{ headers: new Headers(input.headers) }',
    put: '{ headers: input.headers }',
    test: byHand,
  },
  {
    id: 'G06',
    breaks: 'parameters that are sent later are copied',
    file: 'src/clients/http/snapshot.ts',
    find: '  if (body instanceof URLSearchParams) return new URLSearchParams(body)\n',
    put: '',
    test: byHand,
  },
  {
    id: 'G09',
    breaks: 'a field of a form that says neither true nor false stays what it is',
    file: 'src/clients/http/request.ts',
    find: "return stream === 'true' || stream === 'false' ?",
    put: 'return stream !== undefined ?',
    test: byHand,
  },
  {
    id: 'G09',
    breaks: 'a body that says another model than the address has no key',
    file: 'src/providers/define-endpoint.ts',
    find: 'Object.hasOwn(body, member) && body[member] !== value)) return undefined',
    put: 'false)) return undefined',
    test: byHand,
  },
]
