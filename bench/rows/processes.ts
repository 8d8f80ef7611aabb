/**
 * Four processes that share a Redis and ask the same at the same moment. The provider is an HTTP server in this process.
 * @module
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Redis } from 'ioredis'
import { nextLine, startChild } from '../harness/child.ts'
import { chatAnswer } from '../harness/payload.ts'
import type { Row } from '../harness/report.ts'
import { duration } from '../harness/table.ts'
import { everyone } from '../others/index.ts'

const processes = 4
const callers = 250
/** Milliseconds that the provider takes. */
const latency = 300
/** Enough for a quick look. */
const few = new Set(['llmemo'])

/** 4 processes at once. */
export const processesRow: Row = {
  name: 'processes',
  title: `${processes} processes at once`,
  async run(run) {
    const redis = new Redis(run.redis)
    const provider = await startProvider()
    const figures: { name: string; upstream: number; milliseconds: number }[] = []
    for (const other of everyone) {
      const { name } = other
      if (other.redis === undefined || (run.isQuick && !few.has(name))) continue
      await redis.flushall()
      const parameter = { name, redis: run.redis, provider: provider.url, callers }
      const children = Array.from({ length: processes }, () => startChild('processes-worker.ts', parameter))
      await Promise.all(children.map((child) => nextLine(child)))
      provider.reset()
      for (const child of children) child.stdin?.write('go\n')
      const times = await Promise.all(children.map(async (child) => Number(await nextLine(child))))
      figures.push({ name, upstream: provider.calls(), milliseconds: Math.max(...times) })
      for (const child of children) child.stdin?.end()
      await Promise.all(children.map(async (child) => child.exitCode ?? (await once(child, 'exit'))))
    }
    await provider.close()
    await redis.quit()
    return {
      tables: [
        {
          caption: `${callers} equal calls in each, over one Redis; the provider takes ${latency} ms.`,
          table: {
            header: ['', 'upstream calls', 'until the last answer'],
            rows: figures.map(({ name, upstream, milliseconds }) => [
              name,
              upstream.toLocaleString('en-US'),
              duration(milliseconds * 1_000),
            ]),
          },
        },
      ],
      notes: ['One upstream call would be enough. llmemo has `sharedFlights: true`, which is off by default.'],
      figures,
    }
  },
}

async function startProvider() {
  let calls = 0
  const body = JSON.stringify(chatAnswer(2_000))
  const server = createServer((request, response) => {
    calls++
    request.resume()
    setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(body), latency)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `http://127.0.0.1:${port}/v1/chat/completions`,
    calls: () => calls,
    reset: () => void (calls = 0),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
