/**
 * The rules of keys, without which two requests would have one answer: G07 to G12.
 * @module
 */
import type { Mutation } from './mutation.ts'

const test = 'test/faults/found-keys.test.ts'

/** Each takes one rule away. */
export const keys: readonly Mutation[] = [
  {
    id: 'G07',
    breaks: 'an object at an unknown place keeps its order',
    file: 'src/json/places.ts',
    find: 'export const freeForm = new Place({ isOrdered: true,',
    put: 'export const freeForm = new Place({ isOrdered: false,',
    test,
  },
  {
    id: 'G07',
    breaks: 'an object on the way to one of the protocol’s own is one as well',
    file: 'src/json/places.ts',
    find: 'below.unordered.length + below.prose.length === 0',
    put: 'below.unordered.length + below.prose.length >= 0',
    test,
  },
  {
    id: 'G07',
    breaks: 'a name that JavaScript moves makes a text not keyable',
    file: 'src/json/members.ts',
    find: '(index !== Infinity && index <= object.lastIndex)',
    put: 'false',
    test,
  },
  {
    id: 'G08',
    breaks: 'only prose is folded',
    file: 'src/json/canonical.ts',
    find: 'this.#text === undefined || !place.isProse ?',
    put: 'this.#text === undefined ?',
    test,
  },
  {
    id: 'G08',
    breaks: 'base64 in a text is not folded',
    file: 'src/engine/settings/key-options.ts',
    find: "value.includes(';base64,') ? value : folds",
    put: 'folds',
    test,
  },
  {
    id: 'G08',
    breaks: 'the text of messages is folded',
    file: 'src/json/canonical.ts',
    find: 'this.#text === undefined || !place.isProse ? value : this.#text(value)',
    put: 'value',
    test,
  },
  {
    id: 'G09',
    breaks: 'a member that is there twice makes a body not keyable',
    file: 'src/json/members.ts',
    find: 'if (object.names.has(name) || ',
    put: 'if (',
    test,
  },
  {
    id: 'G09',
    breaks: 'names are compared as they are read, not as they are written',
    file: 'src/json/members.ts',
    find: "quoted.includes('\\\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1)",
    put: 'quoted.slice(1, -1)',
    test,
  },
  {
    id: 'G09',
    breaks: 'a form has its type in the key, as JSON could spell its files',
    file: 'src/clients/http/request.ts',
    find: "init?.body instanceof FormData ? { ...headers, 'content-type': 'multipart/form-data' } : headers",
    put: 'headers',
    test,
  },
  {
    id: 'G09',
    breaks: 'no member of the caller’s stands for bytes',
    file: 'src/json/tagged.ts',
    find: "tagged[name.startsWith('$') ? `$${name}` : name] = own",
    put: 'tagged[name] = own',
    test,
  },
  {
    id: 'G10',
    breaks: 'a namespace is marked off from the prefix of the client',
    file: 'src/key/store-keys.ts',
    find: '`llmemo/${encodeURIComponent(namespace)}:`',
    put: '`${encodeURIComponent(namespace)}:`',
    test,
  },
  {
    id: 'G10',
    breaks: 'a namespace has no slash and no colon in a name',
    file: 'src/key/store-keys.ts',
    find: '`llmemo/${encodeURIComponent(namespace)}:`',
    put: '`llmemo/${namespace}:`',
    test,
  },
  {
    id: 'G11',
    breaks: 'fields are ignored only where the provider itself answers',
    file: 'src/engine/cached-call.ts',
    find: 'deliveryFields.includes(name) || isOwnOrigin(endpoint.provider, origin)',
    put: 'true',
    test,
  },
  {
    id: 'G11',
    breaks: 'the form of delivery is ignored everywhere',
    file: 'src/engine/cached-call.ts',
    find: 'deliveryFields.includes(name) || isOwnOrigin(endpoint.provider, origin)',
    put: 'isOwnOrigin(endpoint.provider, origin)',
    test,
  },
  {
    id: 'G11',
    breaks: 'a host is the provider’s only as a whole',
    file: 'src/providers/own-origin.ts',
    find: 'new RegExp(`^${text}$`)',
    put: 'new RegExp(text)',
    test,
  },
  {
    id: 'G12',
    breaks: '`store` is part of the key of chat and of responses',
    file: 'src/providers/openai/ignored.ts',
    find: "const bookkeeping = ['metadata', 'service_tier']",
    put: "const bookkeeping = ['metadata', 'service_tier', 'store']",
    test,
  },
]
