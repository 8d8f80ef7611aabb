/**
 * The gateway over loopback: a hit beside what any server costs, what it adds to a miss, and how soon a streamed hit begins.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { nextLine, startChild } from '../harness/child.ts'
import { type KeptConnection, keptConnection, load } from '../harness/http-load.ts'
import { chatAnswer } from '../harness/payload.ts'
import type { Row } from '../harness/report.ts'
import { median } from '../harness/statistics.ts'
import { digits, duration } from '../harness/table.ts'

/** What answers a fixed body, and the gateway, in their order in the table. */
const kinds = ['node:http', 'hono', 'gateway'] as const
/** What stands between a client and its provider, in their order in the table. */
const betweens = ['passing', 'portkey', 'gateway'] as const
type Kind = (typeof kinds)[number]

const size = 2_000
const connections = 16

interface Measured {
  readonly cpu: number[]
  readonly perSecond: number[]
  readonly p99: number[]
}

/** The gateway. */
export const gatewayRow: Row = {
  name: 'gateway',
  title: 'The gateway over loopback',
  async run({ isQuick }) {
    const provider = await startProvider()
    const upstream = urlOf(provider)
    const question = questionOf('Why?', false)
    const servers = new Map<Kind, { readonly child: ChildProcess; readonly url: string }>()
    const measured = new Map<Kind, Measured>()
    for (const kind of kinds) {
      const child = startChild('gateway-process.ts', { kind, upstream, body: JSON.stringify(chatAnswer(size)) })
      const url = `${await nextLine(child)}/chat/completions`
      servers.set(kind, { child, url })
      measured.set(kind, { cpu: [], perSecond: [], p99: [] })
      await load(url, { body: question, requests: isQuick ? 4_000 : 20_000, connections })
    }
    const requests = isQuick ? 2_000 : 10_000
    for (let round = 0; round < (isQuick ? 5 : 15); round++) {
      for (const [kind, { child, url }] of servers) {
        const before = await cpuOf(child)
        const { perSecond, p99 } = await load(url, { body: question, requests, connections })
        const of = measured.get(kind)
        of?.cpu.push((await cpuOf(child)) / requests - before / requests)
        of?.perSecond.push(perSecond)
        of?.p99.push(p99)
      }
    }
    const gatewayUrl = servers.get('gateway')?.url ?? ''
    const passing = startChild('gateway-process.ts', { kind: 'passing', upstream, body: '' })
    const portkey = await startPortkey()
    const miss = await addedToMiss(
      {
        direct: await keptConnection(`${upstream}/v1/chat/completions`),
        passing: await keptConnection(`${await nextLine(passing)}/chat/completions`),
        portkey: await keptConnection(portkey.url, ['x-portkey-provider: openai', `x-portkey-custom-host: ${upstream}/v1`]),
        gateway: await keptConnection(gatewayUrl),
      },
      isQuick ? 300 : 2_000,
    )
    portkey.child.kill()
    passing.stdin?.end()
    const firstByte = await firstByteOfStream(gatewayUrl, isQuick ? 300 : 2_000)
    for (const { child } of servers.values()) {
      child.stdin?.end()
      await once(child, 'exit')
    }
    provider.closeAllConnections()
    provider.close()
    const cpu = (kind: Kind): number => median(measured.get(kind)?.cpu ?? [])
    const ratios = (measured.get('gateway')?.cpu ?? []).map((each, round) => each / (measured.get('node:http')?.cpu[round] ?? Number.NaN))
    const ratio = median(ratios)
    const rows = kinds.map((kind) => {
      const { perSecond = [], p99 = [] } = measured.get(kind) ?? {}
      return [
        kind,
        duration(cpu(kind)),
        `${digits(cpu(kind) / cpu('node:http'))} ×`,
        digits(median(perSecond)),
        duration(median(p99) * 1_000),
      ]
    })
    return {
      tables: [
        {
          caption: `A hit of 2 KB by ${connections} connections; the others answer a fixed body.`,
          table: { header: ['', 'CPU a request', '× node:http', 'requests a second', 'p99'], rows },
        },
        {
          caption: 'One connection.',
          table: {
            header: ['', 'median'],
            rows: [
              ...betweens.map((name) => [`added to a miss by ${betweenNames[name]}`, duration(miss[name] * 1_000)]),
              ['first byte of a streamed hit', duration(firstByte * 1_000)],
            ],
          },
        },
      ],
      notes: [
        'Portkey’s published build has no cache: it says x-portkey-cache-status: DISABLED.',
        'CPU is the time of the processor of the server’s process on all its threads. The client is this process.',
      ],
      budgets: [
        { what: 'hit through the gateway, CPU, × node:http', measured: ratio, limit: 2.7, unit: '×' },
        {
          what: 'hit through the gateway by 16 connections, one request (83 µs: 12,000 a second)',
          measured: 1_000_000 / median(measured.get('gateway')?.perSecond ?? []),
          limit: 83.3,
          unit: 'µs',
        },
        { what: 'p99 of such hits', measured: median(measured.get('gateway')?.p99 ?? []), limit: 2, unit: 'ms' },
        { what: 'added to a miss by the gateway', measured: miss.gateway * 1_000, limit: 500, unit: 'µs' },
        { what: 'first byte of a streamed hit through the gateway', measured: firstByte, limit: 5, unit: 'ms' },
      ],
      figures: {
        hit: Object.fromEntries(
          kinds.map((kind) => {
            const { perSecond = [], p99 = [] } = measured.get(kind) ?? {}
            return [kind, { cpu: cpu(kind), perSecond: median(perSecond), p99: median(p99) }]
          }),
        ),
        ratio,
        added: miss.gateway,
        addedByOthers: { passing: miss.passing, portkey: miss.portkey },
        firstByte,
      },
    }
  },
}

const betweenNames: Readonly<Record<Between, string>> = {
  passing: 'node:http that passes requests on',
  portkey: 'Portkey’s gateway, without a cache',
  gateway: 'the gateway',
}

type Between = (typeof betweens)[number]

/** Milliseconds that each adds to a call: single calls, by turns, and the difference of their medians. */
async function addedToMiss(
  connections: Readonly<Record<Between | 'direct', KeptConnection>>,
  calls: number,
): Promise<Record<Between, number>> {
  const took: Record<Between | 'direct', number[]> = { direct: [], passing: [], portkey: [], gateway: [] }
  for (let call = -calls / 4; call < calls; call++) {
    const body = questionOf(`Why ${call}?`, false)
    for (const name of ['direct', ...betweens] as const) {
      const { last } = await connections[name].ask(body)
      if (call >= 0) took[name].push(last)
    }
  }
  for (const { end } of Object.values(connections)) end()
  const direct = median(took.direct)
  return { passing: median(took.passing) - direct, portkey: median(took.portkey) - direct, gateway: median(took.gateway) - direct }
}

/** Portkey's gateway, as its package starts it. */
async function startPortkey(): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const place = createServer().listen(0, '127.0.0.1')
  await once(place, 'listening')
  const { port } = new URL(urlOf(place))
  place.close()
  await once(place, 'close')
  const program = join(import.meta.dirname, '..', 'node_modules', '@portkey-ai/gateway/build/start-server.js')
  const child = spawn(process.execPath, [program, `--port=${port}`, '--headless'], { stdio: ['ignore', 'pipe', 'inherit'] })
  process.once('exit', () => void child.kill('SIGKILL'))
  for await (const said of child.stdout.iterator({ destroyOnReturn: false })) if (String(said).includes('Ready')) break
  child.stdout.resume()
  return { child, url: `http://127.0.0.1:${port}/v1/chat/completions` }
}

async function firstByteOfStream(url: string, calls: number): Promise<number> {
  const { ask, end } = await keptConnection(url)
  const body = questionOf('Why?', true)
  const took: number[] = []
  for (let call = -calls / 4; call < calls; call++) {
    const { first } = await ask(body)
    if (call >= 0) took.push(first)
  }
  end()
  return median(took)
}

function questionOf(about: string, stream: boolean): string {
  const messages = [{ role: 'user', content: about + ' because'.repeat(240) }]
  return JSON.stringify({ model: 'gpt-test', messages, ...(stream && { stream, stream_options: { include_usage: true } }) })
}

async function startProvider(): Promise<Server> {
  const body = JSON.stringify(chatAnswer(size))
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function urlOf(server: Server): string {
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

/** Microseconds of the processor that a server has taken so far. */
async function cpuOf(child: ChildProcess): Promise<number> {
  child.stdin?.write('\n')
  return Number(await nextLine(child))
}
