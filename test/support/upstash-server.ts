/**
 * Upstash's REST service, as its documentation has it, in front of a real Redis.
 * https://upstash.com/docs/redis/features/restapi
 * @module
 */
import { createServer, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import type { RedisServer } from './redis-server.ts'

/** A request that the service has answered. */
export interface UpstashRequest {
  /** Its path, without what follows the name of a command. */
  readonly path: string
  readonly commands: readonly string[]
  readonly headers: Readonly<Record<string, unknown>>
}

/** The service. */
export interface UpstashServer {
  readonly url: string
  readonly token: string
  readonly requests: UpstashRequest[]
  /** Sends a script without keys before whatever is asked next. */
  readonly send: (script: string, milliseconds: string) => Promise<unknown>
  /** Answers the next requests in this way, until it is called with nothing. */
  answerBy(manner?: { readonly status: number; readonly body: string } | 'hang'): void
  stop(): Promise<void>
}

/** Starts the service. */
export async function startUpstash({ host, port }: Pick<RedisServer, 'host' | 'port'>): Promise<UpstashServer> {
  const redis = new Redis({ host, port })
  redis.on('error', () => {})
  const token = 'upstash-token'
  const requests: UpstashRequest[] = []
  let manner: Parameters<UpstashServer['answerBy']>[0]
  let writes = 0

  const run = async (
    [name = '', ...given]: readonly (string | Buffer)[],
    isEncoded: boolean,
  ): Promise<{ result: unknown } | { error: string }> => {
    try {
      return { result: encoded(await redis.callBuffer(String(name), ...given), isEncoded) }
    } catch (error) {
      return { error: String(Reflect.get(Object(error), 'message')) }
    }
  }

  const server = createServer((request, response) => {
    const answer = async (): Promise<readonly [status: number, body: unknown]> => {
      const body = await bodyOf(request)
      const [, ...path] = (request.url ?? '').split('/')
      const isBatch = path[0] === 'pipeline'
      const commands = commandsIn(path, body)
      requests.push({ path: `/${path[0]}`, commands: commands.map(([name]) => String(name)), headers: request.headers })
      if (manner === 'hang') await new Promise(() => {})
      if (request.headers.authorization !== `Bearer ${token}`) return [401, { error: 'Unauthorized' }]
      const isEncoded = request.headers['upstash-encoding'] === 'base64'
      const replies = await Promise.all(commands.map((command) => run(command, isEncoded)))
      const [first = { error: 'ERR no command' }] = replies
      return isBatch ? [200, replies] : ['error' in first ? 400 : 200, first]
    }
    const respond = async (): Promise<void> => {
      const [status, body] = await answer()
      const fixed = typeof manner === 'object' ? manner : undefined
      response.writeHead(fixed?.status ?? status, { 'content-type': 'application/json', 'upstash-sync-token': `token-${(writes += 1)}` })
      response.end(fixed?.body ?? JSON.stringify(body))
    }
    respond().catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    token,
    requests,
    send: (script, milliseconds) => redis.eval(script, 0, milliseconds),
    answerBy: (next) => void (manner = next),
    async stop() {
      server.closeAllConnections()
      server.close()
      redis.disconnect()
      await once(server, 'close')
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

/** One command as JSON, several as JSON under `/pipeline`, or its words in the path with the body as the last one. */
function commandsIn([first = '', ...rest]: readonly string[], body: Buffer): (string | Buffer)[][] {
  if (first === '') return [wordsIn(JSON.parse(body.toString()))]
  if (first === 'pipeline') {
    const commands: unknown = JSON.parse(body.toString())
    return Array.isArray(commands) ? commands.map(wordsIn) : []
  }
  return [[...[first, ...rest].map(decodeURIComponent), body]]
}

function wordsIn(command: unknown): string[] {
  return Array.isArray(command) ? command.map(String) : []
}

/** All strings are encoded, but for `OK`. */
function encoded(reply: unknown, isEncoded: boolean): unknown {
  if (Array.isArray(reply)) return reply.map((each) => encoded(each, isEncoded))
  if (!Buffer.isBuffer(reply)) return reply
  const text = reply.toString()
  return text === 'OK' || !isEncoded ? text : reply.toString('base64')
}
