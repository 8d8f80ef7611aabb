import { describe, expect, it } from 'vitest'
import { LazyResponse, materialise } from '../../src/clients/lazy-response.ts'
import { settle } from '../support/chat.ts'

const text = '{"answer":42}'
const headers = { 'content-type': 'application/json', 'request-id': 'req_1' }

function make(): { quick: Response; plain: Response; made: () => number } {
  let count = 0
  const plain = (): Response => new Response(text, { headers })
  const parts = {
    status: 200,
    headers,
    url: '',
    text,
    info: () => {
      throw new Error('no test reads the facts')
    },
    make: (body?: ReadableStream<Uint8Array>) => {
      count++
      return body === undefined ? plain() : new Response(body, { headers })
    },
  }
  return { quick: new LazyResponse(parts), plain: plain(), made: () => count }
}

/** What a reader sees of a response. */
const seen = ({ status, statusText, ok, redirected, type, url, headers: given, bodyUsed }: Response) => ({
  status,
  statusText,
  ok,
  redirected,
  type,
  url,
  bodyUsed,
  headers: [...given],
})

describe('a lazy response', () => {
  it('looks like a real one, which is made only if it is needed', () => {
    const { quick, plain, made } = make()
    expect(seen(quick)).toEqual(seen(plain))
    expect(made()).toBe(0)
  })

  it.each(['text', 'json', 'arrayBuffer', 'blob', 'bytes'] as const)('is read by %s(), once', async (method) => {
    const { quick, plain } = make()
    expect(await quick[method]()).toEqual(await plain[method]())
    expect(seen(quick)).toEqual(seen(plain))
    for (const again of ['text', 'json', 'bytes'] as const) await expect(quick[again]()).rejects.toThrow(TypeError)
    expect(seen(materialise(quick))).toEqual(seen(plain))
  })

  it('is read by its body, once', async () => {
    const { quick } = make()
    expect(await new Response(quick.body).text()).toBe(text)
    await expect(quick.text()).rejects.toThrow(TypeError)
    await expect(quick.json()).rejects.toThrow(TypeError)
  })

  it('can be cloned before it is read', async () => {
    const { quick } = make()
    const clone = quick.clone()
    expect([await clone.text(), await quick.text()]).toEqual([text, text])
    expect(() => quick.clone()).toThrow(TypeError)
  })

  it.each(['text', 'json'] as const)('is read by %s() after its body was looked at, as a real one', async (method) => {
    const { quick, plain, made } = make()
    const looks = [quick, plain].map(({ body }) => ({ body, before: body?.locked }))
    expect(await quick[method]()).toEqual(await plain[method]())
    expect(made()).toBe(0)
    expect(seen(quick)).toEqual(seen(plain))
    expect(looks.map(({ body, before }) => [before, body?.locked])).toEqual([
      [false, true],
      [false, true],
    ])
    for (const { body } of looks) expect(() => body?.getReader()).toThrow(TypeError)
    for (const again of ['text', 'json', 'bytes'] as const) await expect(quick[again]()).rejects.toThrow(TypeError)
    expect(() => quick.clone()).toThrow(TypeError)
  })

  it('is not read while another reader has its body', async () => {
    const { quick } = make()
    const reader = quick.body?.getReader()
    await expect(quick.text()).rejects.toThrow(TypeError)
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe(text)
  })

  it.each<[string, (body: ReadableStream<Uint8Array>) => unknown]>([
    ['held', (body) => body.getReader()],
    ['read by a part', (body) => body.getReader().read()],
    ['read with a buffer', (body) => body.getReader({ mode: 'byob' }).read(new Uint8Array(4))],
    ['read', (body) => new Response(body).text()],
    ['given up', (body) => body.cancel()],
    ['forked', (body) => body.tee()],
    ['looked at', () => undefined],
  ])('is to its caller what a real one is, once its body was %s', async (_, act) => {
    const { quick, plain, made } = make()
    const bodies = [quick, plain].map(({ body }) => body)
    for (const body of bodies) {
      expect(body).toBeInstanceOf(ReadableStream)
      if (body !== null) act(body)
    }
    await settle()
    expect(quick.body).toBe(bodies[0])
    expect([quick.bodyUsed, quick.body?.locked]).toEqual([plain.bodyUsed, plain.body?.locked])
    expect(made()).toBe(0)
    const outcomes = [materialise(quick), plain].map(async (response) => response.text().catch(({ name }: Error) => name))
    expect(await outcomes[0]).toBe(await outcomes[1])
    expect(await quick.text().catch(({ name }: Error) => name)).toBe('TypeError')
    expect(made()).toBe(1)
  })

  it('is read by its body in parts of the length that its reader has room for', async () => {
    const reader = make().quick.body?.getReader({ mode: 'byob' })
    let seenText = ''
    for (let part = await reader?.read(new Uint8Array(4)); part?.done === false; part = await reader?.read(new Uint8Array(4))) {
      expect(part.value.byteLength).toBeLessThanOrEqual(4)
      seenText += new TextDecoder().decode(part.value)
    }
    expect(seenText).toBe(text)
  })

  it('leaves its clone to be read', async () => {
    const { quick } = make()
    const clone = quick.clone()
    expect(await quick.json()).toEqual({ answer: 42 })
    expect(await clone.json()).toEqual({ answer: 42 })
  })

  it('cannot be read as a form', async () => {
    await expect(make().quick.formData()).rejects.toThrow(TypeError)
  })

  it('has one real response for all readers, which is read if it is read itself', async () => {
    const { quick, made } = make()
    const real = materialise(quick)
    expect(Object.getPrototypeOf(real)).toBe(Response.prototype)
    expect(materialise(quick)).toBe(real)
    expect(materialise(real)).toBe(real)
    expect(await quick.text()).toBe(text)
    expect(real.bodyUsed).toBe(true)
    expect(made()).toBe(1)
  })
})
