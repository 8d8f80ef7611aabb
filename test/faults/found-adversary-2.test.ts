/**
 * Further cases of faults that were found in 0.1.0: other doors, other forms of the same request, other forms of the same answer.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { cachingFetch } from '../../src/clients/with-cache.ts'
import type { Fetch } from '../../src/clients/http/caching-fetch.ts'
import type { CacheOptions } from '../../src/engine/settings/options.ts'
import { defineEndpoint } from '../../src/providers/define-endpoint.ts'
import { openCache } from '../support/chat.ts'
import { completion } from '../support/openai-answers.ts'

const own = 'https://api.openai.com/v1'
const chatUrl = `${own}/chat/completions`
const chatText = (text = 'Hi'): string => JSON.stringify({ model: 'm', messages: [{ role: 'user', content: text }] })
const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

/** What reached the provider. */
interface Sent {
  readonly method: string
  readonly authorization: string | null
  readonly body: string
}

/** A `fetch` through a cache to a provider without a socket, which reads a request as the platform does, and numbers its answers. */
function open(options: CacheOptions = {}) {
  const { cache } = openCache(options)
  const sent: Sent[] = []
  const provider: Fetch = async (input, init) => {
    const request = new Request(input, init)
    sent.push({ method: request.method, authorization: request.headers.get('authorization'), body: await request.text() })
    return Response.json({ ...completion(`answer ${sent.length}`), text: `answer ${sent.length}` })
  }
  const caching = cachingFetch(cache, provider)
  /** Asks by arguments of any kind, as code without types may. */
  const ask = async (...args: unknown[]): Promise<string | undefined> => {
    const answer: Response = await Reflect.apply(caching, undefined, args)
    return /answer \d+/.exec(await answer.text())?.[0]
  }
  return { cache, ask, sent }
}

describe('a fetch is read once, as fetch reads it', () => {
  const init = { method: 'POST', headers: { authorization: 'Bearer a' }, body: chatText() }
  const asSent = { method: 'POST', authorization: 'Bearer a', body: chatText() }

  class Init {
    readonly method = 'POST'
    get headers(): object {
      return { authorization: 'Bearer a' }
    }
    get body(): string {
      return chatText()
    }
  }

  it.each<[string, () => unknown]>([
    ['that inherits its members', () => Object.create(init)],
    ['of a class with getters', () => new Init()],
    ['that is frozen', () => Object.freeze({ ...init, headers: Object.freeze(init.headers) })],
    ['that is a Proxy', () => new Proxy(init, {})],
    ['with headers as pairs', () => ({ ...init, headers: Object.entries(init.headers) })],
    ['with headers as a Map', () => ({ ...init, headers: new Map(Object.entries(init.headers)) })],
    ['with headers that can be read once', () => ({ ...init, headers: Object.entries(init.headers).values() })],
    ['with bytes', () => ({ ...init, body: bytes(chatText()) })],
    ['with an ArrayBuffer', () => ({ ...init, body: bytes(chatText()).buffer })],
    ['with a view', () => ({ ...init, body: new DataView(bytes(chatText()).buffer) })],
    ['in small letters', () => ({ ...init, method: 'post' })],
  ])('G32 G62 an init %s', async (_, make) => {
    const { ask, sent } = open()
    expect(await ask(chatUrl, make())).toBe('answer 1')
    expect(await ask(chatUrl, make())).toBe('answer 1')
    expect(sent).toEqual([asSent])
  })

  it.each<[string, object]>([
    ['a call that passes through', {}],
    ['a call that bypasses the cache', { cache: 'no-store' }],
  ])('G32 headers that can be read once are sent: %s', async (_, options) => {
    const { ask, sent } = open()
    const url = Object.keys(options).length === 0 ? `${own}/files` : chatUrl
    await ask(url, { ...init, ...options, headers: Object.entries(init.headers).values() })
    expect(sent).toEqual([asSent])
  })

  it.each<[string, (next: () => number) => object]>([
    [
      'the headers',
      (next) => ({
        ...init,
        get headers() {
          return { authorization: `Bearer ${next()}` }
        },
      }),
    ],
    [
      'a header',
      (next) => ({
        ...init,
        headers: {
          get authorization() {
            return `Bearer ${next()}`
          },
        },
      }),
    ],
    [
      'the body',
      (next) => ({
        ...init,
        get body() {
          return chatText(String(next()))
        },
      }),
    ],
    [
      'the method',
      (next) => ({
        ...init,
        get method() {
          return next() === 1 ? 'POST' : 'PUT'
        },
      }),
    ],
  ])('G62 %s from a getter that says another thing each time', async (_, make) => {
    const { ask, sent } = open()
    let reads = 0
    await ask(
      chatUrl,
      make(() => ++reads),
    )
    expect(reads).toBe(1)
    const [{ method, authorization, body } = { method: '', authorization: '', body: '' }] = sent
    expect([method, `${authorization}${body}`.includes('2')]).toEqual(['POST', false])
  })

  it.each<[string, () => { readonly args: unknown[]; readonly change: () => void }]>([
    [
      'an ArrayBuffer',
      () => {
        const body = bytes(chatText('mine'))
        return { args: [chatUrl, { ...init, body: body.buffer }], change: () => body.set(bytes(chatText('your'))) }
      },
    ],
    [
      'bytes for an endpoint whose code is loaded first',
      () => {
        const body = bytes('{"model":"m","messages":"mine"}')
        return {
          args: ['https://api.cohere.com/v2/chat', { ...init, body }],
          change: () => body.set(bytes('{"model":"m","messages":"your"}')),
        }
      },
    ],
    [
      'the headers of a Request',
      () => {
        const request = new Request(chatUrl, { ...init, body: chatText('mine') })
        return { args: [request], change: () => request.headers.set('authorization', 'Bearer b') }
      },
    ],
    [
      'parameters, which are not cached',
      () => {
        const body = new URLSearchParams({ text: 'mine' })
        return { args: [chatUrl, { ...init, body }], change: () => body.set('text', 'your') }
      },
    ],
  ])('G06 %s changed by the caller while the call is made', async (_, make) => {
    const { ask, sent } = open()
    const { args, change } = make()
    const answer = ask(...args)
    change()
    await answer
    expect(sent).toMatchObject([{ authorization: 'Bearer a' }])
    expect(sent[0]?.body).toContain('mine')
  })
})

/** A form with a file and this text for `stream`. */
const form = (stream: string): object => {
  const body = new FormData()
  body.append('file', new File(['sound'], 'a.wav'))
  body.append('stream', stream)
  return { method: 'POST', body }
}

/** The address of an endpoint of the user, which says the model. */
const match = ({ pathname }: URL): boolean | { model: string } => pathname.startsWith('/acme/') && { model: pathname.slice(6) }

describe('two requests are one only if the provider takes them for one', () => {
  it('G09 a form whose field says neither true nor false', async () => {
    const { ask } = open()
    const url = `${own}/audio/transcriptions`
    const answers = [await ask(url, form('True')), await ask(url, form('1')), await ask(url, form('false'))]
    expect(answers).toEqual(['answer 1', 'answer 2', 'answer 3'])
  })

  it('G09 a body that says another model than the address of an endpoint of the user', async () => {
    const { ask } = open({ endpoints: [defineEndpoint({ provider: 'acme', name: 'chat', match })] })
    const asking = async (body: object) => ask('https://acme.example/acme/m', { method: 'POST', body: JSON.stringify(body) })
    const answers = [await asking({ q: 1 }), await asking({ q: 1, model: 'x' }), await asking({ q: 1, model: 'y' }), await asking({ q: 1 })]
    expect(answers).toEqual(['answer 1', 'answer 2', 'answer 3', 'answer 1'])
    expect(await asking({ q: 1, model: 'm' })).toBe('answer 1')
  })

  it.each(['authorization', 'Authorization', 'cookie', 'x-api-key', 'api-key', 'openai-organization', 'openai-project', 'x-goog-api-key'])(
    'G01 cache.call with another value of the header %s',
    async (name) => {
      const { cache } = openCache()
      let asked = 0
      const ask = async (value: string) => {
        const call = { provider: 'p', endpoint: 'chat', request: { question: 'why?' }, headers: { [name]: value } }
        return (await cache.call(call, () => ({ number: ++asked }))).answer
      }
      expect([await ask('a'), await ask('b'), await ask('a')]).toEqual([{ number: 1 }, { number: 2 }, { number: 1 }])
    },
  )
})
