/**
 * Lambda around a function: the real runtime client in a process of its own, under a Runtime API of ours.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 * @module
 */
import { spawn } from 'node:child_process'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { runtimeClient } from './install-runtime-client.ts'

/** What an invocation gave. */
export interface Invoked {
  /** Whether it ended with an error, also in the middle of a stream. */
  readonly failed: boolean
  readonly bytes: Buffer
  /** The pieces, as they came. */
  readonly pieces: readonly Buffer[]
  readonly type: string | undefined
}

/** A function that runs. */
export interface LambdaFunction {
  /** @param time milliseconds that the invocation has @default 60,000 */
  invoke(event: unknown, options?: { time?: number; onPiece?: (piece: Buffer) => void }): Promise<Invoked>
  /** Ends the process, as Lambda does when an instance is not needed any more. */
  stop(): void
  /** What it has printed until now. */
  printed(): string
}

interface Invocation {
  readonly event: unknown
  readonly time: number
  readonly onPiece: (piece: Buffer) => void
  readonly resolve: (invoked: Invoked) => void
  readonly reject: (error: Error) => void
}

const client = join(runtimeClient, 'index.mjs')
const preload = new URL('./native-client.ts', import.meta.url).href

/** A function's code, and what it is told. */
export interface FunctionCode {
  /** The folder of the code. */
  readonly folder: string
  /** A path in the folder and a name: `dist/lambda.httpHandler`. */
  readonly handler: string
  readonly env: Readonly<Record<string, string>>
  /** The program of Node.js. @default the one that runs this */
  readonly node?: string
}

/** Starts an instance of a function. */
export async function startInstance({ folder, handler, env, node = process.execPath }: FunctionCode): Promise<LambdaFunction> {
  const waiting: Invocation[] = []
  const running = new Map<string, Invocation>()
  let idle: ServerResponse | undefined
  let count = 0
  const hand = (): void => {
    const [invocation] = waiting
    if (idle === undefined || invocation === undefined) return
    waiting.shift()
    const id = `invocation-${++count}`
    running.set(id, invocation)
    idle.setHeader('lambda-runtime-aws-request-id', id)
    idle.setHeader('lambda-runtime-deadline-ms', String(Date.now() + invocation.time))
    idle.setHeader('lambda-runtime-invoked-function-arn', 'arn:aws:lambda:eu-west-1:123456789012:function:gateway')
    idle.end(JSON.stringify(invocation.event))
    idle = undefined
  }
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, id = '', what] = /\/runtime\/(?:invocation\/)?([^/]+)\/?(.*)/.exec(request.url ?? '') ?? []
    if (id === 'next') {
      idle = response
      return hand()
    }
    const invocation = running.get(id)
    const pieces: Buffer[] = []
    for await (const piece of request) {
      const bytes = Buffer.from(piece)
      pieces.push(bytes)
      invocation?.onPiece(bytes)
    }
    response.writeHead(202).end('{}')
    const bytes = Buffer.concat(pieces)
    if (id === 'init') for (const each of [...waiting, ...running.values()]) each.reject(new Error(bytes.toString()))
    const failed = what === 'error' || request.trailers['lambda-runtime-function-error-type'] !== undefined
    invocation?.resolve({ failed, bytes, pieces, type: request.headers['content-type'] })
  }
  const server = createServer((request, response) => void take(request, response))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens at a port
  const { port } = server.address() as AddressInfo
  const child = spawn(node, ['--import', preload, client], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
      LAMBDA_TASK_ROOT: folder,
      _HANDLER: handler,
      AWS_LAMBDA_FUNCTION_NAME: 'gateway',
      AWS_LAMBDA_FUNCTION_VERSION: '1',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
      AWS_LAMBDA_LOG_GROUP_NAME: 'gateway',
      AWS_LAMBDA_LOG_STREAM_NAME: 'one',
      AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1: 'true',
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      ...env,
    },
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => void (printed += chunk.toString()))
  child.once('exit', () => {
    for (const each of [...waiting, ...running.values()]) each.reject(new Error(`the function ended: ${printed}`))
  })
  const stop = (): void => {
    child.kill('SIGKILL')
    server.closeAllConnections()
    server.close()
  }
  return {
    stop,
    printed: () => printed,
    invoke: (event, { time = 60_000, onPiece = () => undefined } = {}) =>
      new Promise((resolve, reject) => {
        waiting.push({ event, time, onPiece, resolve, reject })
        hand()
      }),
  }
}
