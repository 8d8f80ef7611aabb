import { describe, expect, it, vi } from 'vitest'
import { LazyHeaders } from '../../src/clients/lazy-headers.ts'

const said = { 'content-type': 'application/json', 'x-request-id': 'req_1' }

function open() {
  const shared = new Headers(said)
  const make = vi.fn<() => Headers>(() => new Headers({ ...said, 'cache-status': 'llmemo; hit' }))
  return { shared, make, headers: new LazyHeaders(shared, make) }
}

describe('the headers of a shared answer', () => {
  it('are not copied to read one by its name', () => {
    const { headers, make } = open()
    expect([headers.get('X-Request-Id'), headers.get('content-type'), headers.has('x-other'), headers instanceof Headers]).toEqual([
      'req_1',
      'application/json',
      false,
      true,
    ])
    expect(make).not.toHaveBeenCalled()
  })

  it.each<[string, (headers: Headers) => unknown]>([
    ['Cache-Status', (headers) => headers.get('Cache-Status')],
    ['cache-status', (headers) => headers.has('cache-status')],
    ['entries', (headers) => [...headers.entries()]],
    ['keys', (headers) => [...headers.keys()]],
    ['values', (headers) => [...headers.values()]],
    ['iterating', (headers) => [...headers]],
    ['copying', (headers) => [...new Headers(headers)]],
    ['getSetCookie', (headers) => headers.getSetCookie()],
    [
      'forEach',
      (headers) => {
        const seen: string[][] = []
        // oxlint-disable-next-line unicorn/no-array-for-each -- it is what is tested
        headers.forEach((value, name) => seen.push([name, value]))
        return seen
      },
    ],
  ])('give the caller its own by %s', (_, read) => {
    const { headers, make } = open()
    expect(read(headers)).toEqual(read(make()))
  })

  it('are changed for this caller only', () => {
    const { headers, shared } = open()
    headers.set('x-request-id', 'mine')
    headers.append('x-new', '1')
    headers.delete('content-type')
    expect([headers.get('x-request-id'), headers.get('x-new'), headers.get('content-type')]).toEqual(['mine', '1', null])
    expect([...shared]).toEqual(Object.entries(said))
  })
})
