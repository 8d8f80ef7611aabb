import { expect, it } from 'vitest'
import { pointing } from '../src/pointing.ts'

it.each([
  ['127.0.0.1', 'http://127.0.0.1:8787'],
  ['::1', 'http://[::1]:8787'],
])('prints URLs that a client can take: %s', (host, url) => {
  const urls = pointing({ host, port: 8_787 }, true).match(/http:\S+/g) ?? []
  expect(urls).toHaveLength(5)
  for (const each of urls) expect(new URL(each).origin).toBe(url)
})
