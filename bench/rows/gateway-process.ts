/**
 * A server in a process of its own, for the row of the gateway: `node:http` and hono that answer a fixed body, `node:http` that only passes
 * requests on, and the gateway. It prints where it listens, and tells the processor's time that it has taken, in microseconds, for each line of its input.
 * @module
 */
import { once } from 'node:events'
import { Agent, createServer, type RequestListener, request as ask } from 'node:http'
import { createInterface } from 'node:readline'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { createCache, systemClock } from '../../dist/index.mjs'
import { createGateway, listen, readSettings } from '../../gateway/dist/index.mjs'
import { parameterOf, textIn } from '../harness/child.ts'

const kind = textIn(parameterOf(), 'kind')
const upstream = textIn(parameterOf(), 'upstream')
const body = textIn(parameterOf(), 'body')
const upstreamConnections = new Agent({ keepAlive: true })
const json = { 'content-type': 'application/json' }

console.log(await start())
for await (const _ of createInterface(process.stdin)) {
  const { user, system } = process.cpuUsage()
  console.log(String(user + system))
}

async function start(): Promise<string> {
  if (kind === 'gateway') {
    const gateway = createGateway({ cache: createCache(), upstreams: { openai: `${upstream}/v1` }, privateHosts: ['127.0.0.1'] })
    const { host, port } = await listen({ ...gateway, settings: readSettings({ server: { port: 0 } }), clock: systemClock })
    return `http://${host}:${port}/openai/v1`
  }
  const app = new Hono().post('*', async (c) => {
    await c.req.text()
    return c.body(body, 200, json)
  })
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  const answers: Readonly<Record<string, RequestListener>> = { hono: (request, response) => void listener(request, response), passing }
  const server = createServer(answers[kind] ?? fixed)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/openai/v1`
}
process.exit()

function fixed(...[request, response]: Parameters<RequestListener>): void {
  request.resume()
  request.on('end', () => response.writeHead(200, { ...json, 'content-length': Buffer.byteLength(body) }).end(body))
}

/** The least that anything between a client and its provider does. */
function passing(...[request, response]: Parameters<RequestListener>): void {
  const { method, headers } = request
  const path = request.url?.replace('/openai', '')
  const sent = ask(`${upstream}${path}`, { method, headers, agent: upstreamConnections }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
    answer.pipe(response)
  })
  request.pipe(sent)
}
