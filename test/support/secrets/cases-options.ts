/**
 * Cases of options: a secret as the value of each of them, and as its name.
 * @module
 */
import { defineEndpoint, partsIn } from '../../../src/providers/define-endpoint.ts'
import { createCache } from '../../../src/cache/cache.ts'
import { textCall } from '../../../src/cache/text-requests.ts'
import { createCacheKey } from '../../../src/cache/value-key.ts'
import { cacheInfo } from '../../../src/clients/cache-info.ts'
import { callable, text, texts, withMethods, wholeNumber } from '../../../src/base/option-checks.ts'
import { withoutContent } from '../../../src/base/foreign-error.ts'
import { createPriceBook } from '../../../src/engine/pricing/price-book.ts'
import { priceRules } from '../../../src/engine/pricing/price-rules.ts'
import { OptionFault } from '../../../src/engine/settings/option-fault.ts'
import { skipReason } from '../../../src/engine/settings/policy.ts'
import { milliseconds } from '../../../src/duration.ts'
import { assertStore } from '../../../src/store.ts'
import { answer, question } from '../chat.ts'
import type { Cases, Issuer, SecretCase } from './issuer.ts'
import { secret } from './marker.ts'
import { mistaken, withoutModules } from './mistaken.ts'

const { password, token, url, key, prompt } = {
  password: secret('password'),
  token: `sk-${secret('token')}`,
  url: `rediss://user:${secret('url')}@host:6379`,
  key: secret('key'),
  prompt: secret('prompt'),
}

/** Values that someone may give by mistake, each with a secret in it. */
const wrong: readonly unknown[] = [
  password,
  token,
  url,
  prompt,
  { [key]: key },
  [token],
  new Map([[key, key]]),
  Object.assign(() => key, { key }),
  Symbol(key),
  new Error(prompt),
  new (class Client {
    readonly apiKey = key
  })(),
]

/** Gives `option` each of the wrong values. What it takes is no error. */
async function givenEach(issuer: Issuer, option: string): Promise<void> {
  for (const value of wrong) await issuer.outcome(() => void createCache({ logger: issuer.logger, [option]: mistaken(value) }))
}

const options = [
  'store',
  'namespace',
  'scope',
  'requireScope',
  'requireStore',
  'maxMemoryBytes',
  'maxEntryBytes',
  'compressAbove',
  'encryption',
  'key',
  'endpoints',
  'policy',
  'prices',
  'replay',
  'streamUsage',
  'readDeadline',
  'firstReadDeadline',
  'flightDeadline',
  'invalidationDelay',
  'sharedFlights',
  'leaseTtl',
  'logger',
  'clock',
  'ttl',
  'jitter',
  'random',
  'stale',
  'maxMemoryTtl',
  'staleWhileRevalidate',
  'staleIfError',
]

const refusedBy = (name: string, action: () => unknown): SecretCase => ({ name, run: (issuer) => issuer.refused(action) })

export const optionCases: Cases = {
  'src/engine/settings/options.ts': [
    ...options.map((option) => ({ name: `${option} is a secret`, run: (issuer: Issuer) => givenEach(issuer, option) })),
    refusedBy('debug is a secret', () => createCache({ debug: mistaken(password) })),
    {
      name: 'LLMEMO_DEBUG is a secret',
      async run(issuer) {
        process.env['LLMEMO_DEBUG'] = password
        try {
          await issuer.refused(() => createCache())
        } finally {
          delete process.env['LLMEMO_DEBUG']
        }
      },
    },
    refusedBy('replay.delay is a secret', () => createCache({ replay: { delay: mistaken(password) } })),
    refusedBy('an option of a secret name', () => createCache(mistaken({ [token]: 1 }))),
    refusedBy('an option of a short secret name', () => createCache(mistaken({ [`k${key.slice(0, 12)}`]: 1 }))),
  ],
  'src/providers/define-endpoint.ts': [
    refusedBy('a name is a secret', () => defineEndpoint({ provider: mistaken({ password }), name: 'n', match: '/n' })),
    refusedBy('a match is a secret', () => defineEndpoint({ provider: 'p', name: 'n', match: password })),
    refusedBy('the form of streams is a secret', () =>
      defineEndpoint({
        provider: 'p',
        name: 'n',
        match: '/n',
        streaming: { form: mistaken(password), assemble: () => undefined, disassemble: () => [] },
      }),
    ),
    refusedBy('an answer full of secrets has no events', () =>
      partsIn({
        provider: 'p',
        name: 'n',
        match: '/n',
        streaming: { assemble: () => undefined, disassemble: () => [] },
      }).endpoint.streaming?.disassemble({ said: password }, {}),
    ),
    refusedBy('a member of a secret name', () => defineEndpoint(mistaken({ provider: 'p', name: 'n', match: '/n', [token]: 1 }))),
  ],
  'src/engine/settings/key-options.ts': ['longText', 'ignore', 'keep', 'ignoreHeaders', 'fold', password].flatMap((option) =>
    [[`${password}*${password}`], [password], password, { password }].map((value) => ({
      name: `${option} of the key is a secret`,
      run: (issuer: Issuer) => issuer.outcome(() => void createCache({ key: { [option]: mistaken(value) } })),
    })),
  ),
  'src/engine/settings/freshness.ts': [
    refusedBy('ttl is a secret', () => createCache({ ttl: mistaken(password) })),
    refusedBy('ttl is a list', () => createCache({ ttl: mistaken([password]) })),
    refusedBy('jitter is a secret', () => createCache({ jitter: mistaken(password) })),
    refusedBy('random is a secret', () => createCache({ random: mistaken(password) })),
    refusedBy('an operation is a secret', () => createCache({ ttl: { [password]: mistaken('never') } })),
  ],
  'src/duration.ts': [
    refusedBy('a text', () => milliseconds('ttl', token)),
    refusedBy('a capital', () => milliseconds('ttl', '10M')),
    refusedBy('milliseconds', () => milliseconds(`ttl.${password}`, 86_400_000)),
  ],
  'src/engine/settings/option-fault.ts': [password, null, { password }, Promise.reject(new Error(password))].map((given) => ({
    name: 'a function of the user gives no value of an option',
    run: (issuer: Issuer) => issuer.keep('fault', new OptionFault('mode', { given }, ['default'])),
  })),
  'src/engine/settings/policy.ts': [
    {
      name: 'a policy promises and fails',
      run: (issuer) =>
        void skipReason(
          mistaken(() => Promise.reject(new Error('later'))),
          mistaken({ reason: undefined, model: prompt }),
          (error) => issuer.keep('failed policy', error),
        ),
    },
  ],
  // A text is a valid scope, operation or tag: the name of its caller's choice, which facts and events tell.
  'src/engine/settings/call-options.ts': ['mode', 'operation', 'tags', 'scope', 'ttl', 'variant', 'context', password].flatMap((option) =>
    [...(['operation', 'scope'].includes(option) ? [] : [token]), '', 1, { password }, [1], [password, '']].map((value) => ({
      name: `${option} of a call is mistaken`,
      run: async (issuer: Issuer) => {
        const cache = issuer.cache()
        await issuer.outcome(() => cache.lookup(question(prompt, mistaken({ [option]: value }))))
        await issuer.outcome(() => cache.store(question(prompt, mistaken({ [option]: value })), answer(secret('answer'))))
      },
    })),
  ),
  'src/base/option-checks.ts': [
    refusedBy('a number', () => wholeNumber('n', password, { least: 1, most: 2, of: 'bytes' })),
    refusedBy('a text', () => text('t', `${password}\uD800`)),
    refusedBy('texts', () => texts('t', password)),
    refusedBy('methods', () => withMethods('m', mistaken({ password }), { methods: ['a'], allowed: 'that' })),
    refusedBy('no object', () => createCache(mistaken(url))),
    refusedBy('no function', () => callable('make', mistaken(password))),
    refusedBy('a map', () => createCache(mistaken(new Map([[password, password]])))),
    refusedBy('a promise', () => createCache(mistaken(Promise.resolve({ password })))),
    refusedBy('an unknown option', () => createCache(mistaken({ maxAge: password }))),
  ],
  'src/base/node-crypto.ts': [
    {
      name: 'a runtime without node:crypto',
      run: (issuer) =>
        withoutModules(async () => {
          // What was loaded before is remembered, so another copy of the module is asked.
          const again = '../../../src/base/node-crypto.ts?again'
          const { nodeCrypto }: { readonly nodeCrypto: () => unknown } = await import(again)
          await issuer.refused(() => nodeCrypto())
        }),
    },
  ],
  'src/base/foreign-error.ts': [
    new Error(prompt),
    Object.assign(new Error(prompt), { name: token, code: token, syscall: token }),
    prompt,
    null,
  ].map((error, index) => ({ name: `an error ${index}`, run: (issuer: Issuer) => issuer.keep('cause', withoutContent(error)) })),
  'src/store.ts': [
    ...[url, password, () => password, Promise.resolve(password), { duplicate() {}, getBuffer() {}, password }].map((value, index) =>
      refusedBy(`no store ${index}`, () => assertStore('store', value)),
    ),
    refusedBy('no object', () => assertStore('store', Symbol(password))),
    refusedBy('a name that is none', () => assertStore('store', { name: [password], get() {}, set() {}, delete() {} })),
    refusedBy('a method that is none', () => assertStore('store', { name: 'n', get: password })),
    refusedBy('a further method that is none', () => assertStore('store', { name: 'n', get() {}, set() {}, delete() {}, keys: password })),
  ],
  'src/events.ts': [
    refusedBy('an event', () => createCache().on(mistaken(password), () => {})),
    refusedBy('a short event', () => createCache().on(mistaken(key.slice(0, 10)), () => {})),
    refusedBy('a listener', () => createCache().on('hit', mistaken(password))),
  ],
  'src/cache/value-key.ts': [
    refusedBy('a name', () => createCacheKey(mistaken({ password }), () => password)),
    refusedBy('a key', () => createCacheKey(password, mistaken(password))),
  ],
  'src/cache/value-cache.ts': [
    refusedBy('a pattern', () => createCache().delByPattern(mistaken({ password }))),
    refusedBy('maxTtl', () => createCache().wrapSWR(password, '2h', '1h', () => password)),
    refusedBy('a key of a value', () => createCache().get(`${password}\uD800`)),
  ],
  'src/cache/described-requests.ts': [
    refusedBy('no request', () => createCache().lookup(mistaken(prompt))),
    refusedBy('a provider', () => createCache().lookup({ provider: token, endpoint: 'chat.completions', body: {} })),
    refusedBy('an endpoint', () => createCache().lookup({ endpoint: token, body: {} })),
    refusedBy('a short endpoint', () => createCache().lookup({ endpoint: key.slice(0, 12), body: {} })),
    refusedBy('no region', () => createCache().lookup({ provider: 'aws-bedrock', endpoint: 'converse', body: { prompt } })),
    refusedBy('no body', () => createCache().lookup({ endpoint: 'chat.completions', body: mistaken(prompt) })),
    {
      name: 'a body that has no key',
      async run(issuer) {
        const cache = issuer.cache()
        const asked = question(prompt, {
          body: { model: 'm', messages: [{ role: 'user', content: { [prompt]: new Map([[prompt, 1]]) } }] },
        })
        await issuer.refused(() => cache.explain(asked))
        await issuer.refused(() => cache.explain(question(), asked))
        await issuer.outcome(() => cache.lookup(asked))
        await issuer.outcome(() => cache.store(asked, answer(secret('answer'))))
      },
    },
    {
      name: 'a context that has no key',
      async run(issuer) {
        const cache = issuer.cache()
        for (const context of [{ [token]: () => token }, [Symbol(token)], { nested: { [token]: [Number.NaN] } }]) {
          await issuer.refused(() => cache.explain(question(prompt, { context: mistaken(context) })))
        }
      },
    },
  ],
  'src/cache/savings.ts': [
    refusedBy('a way', () => createCache({ savings: true }).savings({ by: mistaken(token) })),
    refusedBy('none are kept', () => createCache({ scope: token }).savings()),
  ],
  'src/engine/settings/sizes.ts': [refusedBy('a level', () => createCache({ compressionLevel: mistaken(password) }))],
  'src/engine/settings/switches.ts': [
    refusedBy('enabled', () => createCache({ enabled: mistaken(password) })),
    refusedBy('a mode', () => createCache({ mode: mistaken(password) })),
    refusedBy('what usage shows', () => createCache({ usage: mistaken(password) })),
    refusedBy('what usage shows, as an object', () => createCache({ usage: mistaken({ password }) })),
  ],
  'src/cache/entries.ts': [
    refusedBy('a filter', () => createCache().entries(mistaken({ operation: { password } }))),
    refusedBy('another filter', () => createCache().entries(mistaken({ [password]: password }))),
    refusedBy('an age', () => createCache().entries(mistaken({ olderThan: password }))),
    refusedBy('a key', () => createCache().ttl(mistaken({ password }))),
  ],
  'src/cache/text-requests.ts': [
    prompt,
    {},
    { text: prompt, prompt },
    { text: { prompt } },
    { messages: prompt },
    { text: prompt, options: password },
    { text: prompt, model: { password } },
    { text: prompt, provider: { password } },
  ].map((value, index) => refusedBy(`a request ${index}`, () => textCall(mistaken(value)))),
  'src/cache/forget.ts': [
    refusedBy('no answer', () => createCache().forget(mistaken({ password }))),
    refusedBy('an answer of ours', () => createCache().forget(answer(secret('answer')))),
    refusedBy('a text', () => createCache().forget(mistaken(password))),
  ],
  'src/cache/cache.ts': [
    refusedBy('a function gives the scope', () => createCache({ scope: () => password }).scopeOf({ apiKey: key })),
    refusedBy('no client', () => createCache().scopeOf({ apiKey: key })),
    refusedBy('a text', () => createCache().scopeOf(mistaken(key))),
  ],
  'src/engine/invalidation/labels.ts': [
    password,
    { [password]: 1 },
    { [password]: 1, tags: [password] },
    { key: password },
    { pattern: { password } },
    { pattern: '' },
    { all: password },
    { tags: password },
    { scope: { password } },
    { model: `${password}\uD800` },
  ].map((value, index) => refusedBy(`a selector ${index}`, () => createCache().invalidate(mistaken(value)))),
  'src/engine/cached-call.ts': [
    refusedBy('no scope', () => createCache({ requireScope: true }).lookup(question(prompt))),
    {
      name: 'a scope whose function throws a secret',
      async run(issuer) {
        const cache = issuer.cache({
          scope: () => {
            throw new Error(password)
          },
        })
        issuer.keep('returned', await cache.lookup(question(prompt)))
        issuer.keep('returned', await cache.store(question(prompt), answer(secret('answer'))))
      },
    },
  ],
  'src/engine/pricing/price-rules.ts': [
    ...[
      password,
      [password],
      [{ model: 'm', input: 1, output: 1, [password]: 1 }],
      [{ model: 'm', input: 1, output: 1, provider: { password } }],
      [{ model: `${password}**`, input: 1, output: 1 }],
      [{ model: 'm', input: password, output: 1 }],
      [{ model: 'm', input: 1, output: 1, multiplier: password }],
    ].map((value, index) => refusedBy(`rules ${index}`, () => priceRules('prices', value))),
    refusedBy('a book', () => createPriceBook(mistaken(password))),
  ],
  'src/clients/cache-info.ts': [refusedBy('a promise', () => cacheInfo(mistaken(Promise.resolve(password))))],
}
