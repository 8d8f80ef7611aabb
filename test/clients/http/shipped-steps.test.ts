import { describe, expect, it, onTestFinished } from 'vitest'
import { createCache } from '../../../src/cache/cache.ts'
import { withCache } from '../../../src/clients/with-cache.ts'
import { message, text } from '../../support/anthropic-answers.ts'
import { sdks as anthropicSdks } from '../../support/anthropic-sdks.ts'
import { completion } from '../../support/openai-answers.ts'
import { sdks as openaiSdks } from '../../support/openai-sdks.ts'

type Hook = (tenant: () => string, original: Method) => Method
type Method = (this: unknown, ...given: unknown[]) => unknown

const fetchOf = (answer: object, sent: (string | null)[]): typeof fetch =>
  async function fetched(input, init) {
    sent.push(new Headers(init?.headers).get('x-tenant') ?? new URL(new Request(input).url).searchParams.get('tenant'))
    return Response.json({ ...answer, id: `${sent.length}` })
  }

/** Hooks that send another tenant each time. */
const hooks: Readonly<Record<string, Hook>> = {
  makeTracedRequest: (tenant, original) =>
    async function makeTracedRequest(this: unknown, options, ...given) {
      return Reflect.apply(original, this, [{ ...Object(await options), headers: { 'x-tenant': tenant() } }, ...given])
    },
  prepareOptions: (tenant, original) =>
    async function prepareOptions(this: unknown, options) {
      Reflect.set(Object(options), 'headers', { 'x-tenant': tenant() })
      return Reflect.apply(original, this, [options])
    },
  prepareRequest: (tenant, original) =>
    async function prepareRequest(this: unknown, ...given) {
      setHeader(given[0], tenant())
      return Reflect.apply(original, this, given)
    },
  authHeaders: (tenant, original) =>
    async function authHeaders(this: unknown, ...given) {
      const made: unknown = await Reflect.apply(original, this, given)
      setHeader({ headers: Reflect.get(Object(made), 'values') }, tenant())
      return made
    },
  buildRequest: (tenant, original) =>
    async function buildRequest(this: unknown, ...given) {
      const built: unknown = await Reflect.apply(original, this, given)
      setHeader(Reflect.get(Object(built), 'req'), tenant())
      return built
    },
  buildURL: (tenant, original) =>
    function buildURL(this: unknown, ...given) {
      return `${String(Reflect.apply(original, this, given))}?tenant=${tenant()}`
    },
  fetchWithTimeout: (tenant, original) =>
    async function fetchWithTimeout(this: unknown, ...given) {
      setHeader(given[1], tenant())
      return Reflect.apply(original, this, given)
    },
}

/**
 * Methods that the SDKs call for each request and that change nothing of it which a key could have: a header that is no part of the key, limits,
 * and how an answer is read.
 */
const addNothing = new Set([
  'getUserAgent',
  'calculateNonstreamingTimeout',
  'isStreamBody',
  '_makeAbort',
  'responsePromise',
  'parseResponseWithTimeout',
])

function setHeader(request: unknown, tenant: string): void {
  const headers: unknown = Reflect.get(Object(request), 'headers')
  if (headers instanceof Headers) headers.set('x-tenant', tenant)
}

function methodOf(object: object, name: string): Method {
  const method: unknown = Reflect.get(object, name)
  if (typeof method !== 'function') throw new TypeError(`no ${name}()`)
  return (...given) => Reflect.apply(method, object, given)
}

function rootOf(client: object): object {
  let owner: object = client
  while (!Object.hasOwn(owner, 'makeRequest')) owner = Object(Object.getPrototypeOf(owner))
  return owner
}

const subjects = [
  ...openaiSdks.map((sdk) => ({ name: sdk.name, make: sdk.make, answer: completion('Hello.'), resource: ['chat', 'completions'] })),
  ...anthropicSdks.map((sdk) => ({ name: sdk.name, make: sdk.make, answer: message([text('Hello.')]), resource: ['messages'] })),
]

describe.each(subjects)('G04 the fast lane of $name', ({ make, answer, resource }) => {
  async function ask(client: object): Promise<unknown> {
    let of: unknown = client
    for (const name of resource) of = Reflect.get(Object(of), name)
    return methodOf(Object(of), 'create')({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] })
  }

  // Each version of an SDK has some of them.
  const own = Object.entries(hooks).filter(([name]) => Reflect.has(make({ url: 'https://provider.invalid/v1', fetch }), name))

  describe.each(own)('closes for %s', (name, hook) => {
    it.each(['the wrapped client', 'the wrapped client, as spies do it', 'the given client', 'the class of the SDK'])(
      'on %s, set after wrapping',
      async (where) => {
        const sent: (string | null)[] = []
        const given: object = make({ url: 'https://provider.invalid/v1', fetch: fetchOf(answer, sent) })
        const client: object = withCache(given, createCache({ logger: false }))
        for (let call = 0; call < 3; call++) await ask(client)
        expect(sent).toHaveLength(1)
        let tenant = 'a'
        const target = where.startsWith('the wrapped client') ? client : where === 'the given client' ? given : rootOf(given)
        const before = Object.getOwnPropertyDescriptor(target, name)
        const root = rootOf(given)
        const original: unknown = Reflect.get(root, name)
        onTestFinished(() => {
          if (target === root && before !== undefined) Object.defineProperty(target, name, before)
        })
        const set = hook(
          () => tenant,
          function unhooked(this: unknown, ...rest) {
            return typeof original === 'function' ? Reflect.apply(original, this, rest) : undefined
          },
        )
        if (where.endsWith('spies do it')) Object.defineProperty(target, name, { value: set, writable: true, configurable: true })
        else Reflect.set(target, name, set)
        for (const each of ['a', 'b', 'a', 'b']) {
          tenant = each
          await ask(client)
          await ask(client)
        }
        expect(sent).toEqual([null, 'a', 'b'])
      },
    )
  })

  it.each(own)('stays closed for %s on the class of the SDK, set before wrapping', async (name, hook) => {
    const sent: (string | null)[] = []
    const given: object = make({ url: 'https://provider.invalid/v1', fetch: fetchOf(answer, sent) })
    const root = rootOf(given)
    const before = Object.getOwnPropertyDescriptor(root, name)
    const original: unknown = Reflect.get(root, name)
    onTestFinished(() => {
      if (before === undefined) Reflect.deleteProperty(root, name)
      else Object.defineProperty(root, name, before)
    })
    let tenant = 'a'
    const set = hook(
      () => tenant,
      function unhooked(this: unknown, ...rest) {
        return typeof original === 'function' ? Reflect.apply(original, this, rest) : undefined
      },
    )
    Reflect.set(root, name, set)
    const client: object = withCache(given, createCache({ logger: false }))
    for (const each of ['a', 'b', 'a', 'b']) {
      tenant = each
      await ask(client)
      await ask(client)
    }
    expect(sent).toEqual(['a', 'b'])
  })

  const open = (): object => make({ url: 'https://provider.invalid/v1', fetch: fetchOf(answer, []) })

  it('closes for every method that makes a request, whatever the version of the SDK has', async () => {
    const left: string[] = []
    const names = Object.getOwnPropertyNames(rootOf(open())).filter((name) => name !== 'constructor')
    for (const name of names) {
      const { value: method } = Object.getOwnPropertyDescriptor(rootOf(open()), name) ?? {}
      if (typeof method !== 'function') continue
      let calls = 0
      const counting = function counting(this: unknown, ...given: unknown[]): unknown {
        calls++
        return Reflect.apply(method, this, given)
      }
      const bare = open()
      Reflect.set(bare, name, counting)
      await ask(bare)
      if (calls === 0) continue
      const client: object = withCache(open(), createCache({ logger: false }))
      for (let call = 0; call < 3; call++) await ask(client)
      Reflect.set(client, name, counting)
      calls = 0
      await ask(client)
      if (calls === 0) left.push(name)
    }
    expect(left.filter((name) => !addNothing.has(name))).toEqual([])
    expect(names).toContain('makeRequest')
  })

  it('G04 sees a base URL that its caller defines again on the wrapped client', async () => {
    const paths: string[] = []
    const fetched: typeof fetch = async (input) => {
      paths.push(new URL(new Request(input).url).pathname.split('/')[1] ?? '')
      return Response.json({ ...answer, id: `${paths.length}` })
    }
    const client: object = withCache(make({ url: 'https://provider.invalid/v1', fetch: fetched }), createCache({ logger: false }))
    let tenant = 'a'
    for (let call = 0; call < 3; call++) await ask(client)
    Object.defineProperty(client, 'baseURL', { get: () => `https://provider.invalid/${tenant}/v1`, configurable: true })
    for (const each of ['a', 'b', 'a', 'b']) {
      tenant = each
      await ask(client)
      await ask(client)
    }
    expect(paths.slice(1)).toEqual(['a', 'b'])
  })

  it.each(['before', 'after'])(
    'G02 a resource that its caller puts in the place of the SDK’s, %s wrapping, is that of the wrapped client',
    async (when) => {
      const sent: (string | null)[] = []
      const given: object = make({ url: 'https://provider.invalid/v1', fetch: fetchOf(answer, sent) })
      let tenant = 'a'
      const [last = '', ...above] = resource.toReversed()
      const parent = Object(above.reduceRight<unknown>((of, name) => Reflect.get(Object(of), name), given))
      const replace = (): object => {
        const own: object = Object.create(Object(Reflect.get(parent, last)))
        const create: unknown = Reflect.get(own, 'create')
        const patched = function create2(this: unknown, body: unknown, options: unknown): unknown {
          return (
            typeof create === 'function' && Reflect.apply(create, this, [body, { ...Object(options), headers: { 'x-tenant': tenant } }])
          )
        }
        Reflect.set(own, 'create', patched)
        Reflect.set(parent, last, own)
        return own
      }
      const early = when === 'before' ? replace() : undefined
      const client: object = withCache(given, createCache({ logger: false }))
      for (let call = 0; call < 2; call++) await ask(client)
      const replaced = early ?? replace()
      const patch: unknown = Reflect.get(replaced, 'create')
      for (const each of ['a', 'b', 'a', 'b']) {
        tenant = each
        await ask(client)
      }
      expect(sent).toEqual(when === 'before' ? ['a', 'b'] : [null, 'a', 'b'])
      expect([Reflect.get(replaced, 'create'), Reflect.get(parent, last)]).toEqual([patch, replaced])
    },
  )

  it('is open for a client whose hooks are as shipped', async () => {
    const sent: (string | null)[] = []
    const client: object = withCache(
      make({ url: 'https://provider.invalid/v1', fetch: fetchOf(answer, sent) }),
      createCache({ logger: false }),
    )
    for (let call = 0; call < 3; call++) await ask(client)
    expect(sent).toHaveLength(1)
  })
})
