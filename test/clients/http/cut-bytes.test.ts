import { createServer, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { gzipSync } from 'node:zlib'
import OpenAI, { toFile } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { cacheInfo, createCache, withCache } from '../../../src/index.ts'

const words = 'All that was said, from the beginning to the end. '.repeat(200)
const gzip = gzipSync(words)

/** How a server sends an answer. */
type Sends = (response: ServerResponse, type: string) => void

/** Writes a response by hand, as a server or a proxy that fails in the middle would. */
const raw = (response: ServerResponse, head: string, body: string | Uint8Array): void => {
  const { socket } = response
  socket?.write(`HTTP/1.1 200 OK\r\n${head}connection: close\r\n\r\n`)
  socket?.end(body)
}

const ways: readonly [name: string, isStored: boolean, sends: Sends][] = [
  ['with its length', true, (response, type) => response.setHeader('content-type', type).end(words)],
  [
    'in chunks with an end',
    true,
    (response, type) => {
      response.setHeader('content-type', type)
      response.write(words.slice(0, 50))
      response.end(words.slice(50))
    },
  ],
  ['until the connection closes', false, (response, type) => raw(response, `content-type: ${type}\r\n`, words.slice(0, 50))],
  [
    'compressed, and cut',
    false,
    (response, type) =>
      response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' }).end(gzip.subarray(0, gzip.length / 2)),
  ],
  [
    'compressed, cut, and in chunks with an end',
    false,
    (response, type) => {
      response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' })
      response.write(gzip.subarray(0, gzip.length / 4))
      response.end(gzip.subarray(gzip.length / 4, gzip.length / 2))
    },
  ],
]

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function open(sends: Sends, type: string) {
  const asked: (string | undefined)[] = []
  server = createServer((request, response) => {
    asked.push(request.headers['accept-encoding']?.toString())
    request.resume()
    request.on('end', () => sends(response, type))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const baseURL = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/v1`
  return { asked, client: withCache(new OpenAI({ apiKey: 'k', baseURL, maxRetries: 0 }), createCache({ logger: false })) }
}

describe('an answer without an end of its own', () => {
  it.each(ways)('G36 speech that is sent %s: stored is %s', async (_, isStored, sends) => {
    const { client, asked } = await open(sends, 'audio/mpeg')
    const response = await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Hi' })
    await response.arrayBuffer().catch(() => undefined)
    expect(cacheInfo(response)).toMatchObject({ stored: isStored })
    expect(asked).toEqual(['identity'])
  })

  it.each(ways)('G36 a plain transcription that is sent %s: stored is %s', async (_, isStored, sends) => {
    const { client, asked } = await open(sends, 'text/plain')
    const ask = async () => {
      const file = await toFile(new Uint8Array([1, 2, 3]), 'a.mp3')
      return client.audio.transcriptions.create({ model: 'whisper-1', response_format: 'text', file })
    }
    for (let time = 0; time < 2; time++) await Promise.resolve(ask()).catch(() => undefined)
    expect(asked).toHaveLength(isStored ? 1 : 2)
  })
})
