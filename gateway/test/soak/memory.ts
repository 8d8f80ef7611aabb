/**
 * 200,000 requests through the gateway: hits, misses, streams, errors and clients that go away. What it holds must not grow.
 * `npm run soak -w gateway`, after a build; `-- 20000` for another number of requests.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import { fileURLToPath } from 'node:url'

const requests = Number(process.argv[2] ?? 200_000)
const connections = 16
/** Bytes by which what is held may grow from a quarter of the way to its end: the tables of models and operations fill up once. */
const allowance = 8 * 1024 * 1024

const answer = JSON.stringify({
  id: 'a',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-test',
  choices: [{ index: 0, message: { role: 'assistant', content: 'word '.repeat(300) }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 },
})
const piece = JSON.stringify({
  id: 'a',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt-test',
  choices: [{ index: 0, delta: { content: 'word' } }],
})
const last = JSON.stringify({
  id: 'a',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt-test',
  choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
})

const provider = createServer((incoming, outgoing) => {
  let body = ''
  incoming.setEncoding('utf8').on('data', (text: string) => (body += text))
  incoming.on('end', () => {
    if (body.includes('refuse')) outgoing.writeHead(500, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}')
    else if (body.includes('"stream":true')) {
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
      for (let index = 0; index < 20; index++) outgoing.write(`data: ${piece}\n\n`)
      outgoing.end(`data: ${last}\n\ndata: [DONE]\n\n`)
    } else outgoing.writeHead(200, { 'content-type': 'application/json' }).end(answer)
  })
}).listen(0, '127.0.0.1')
await once(provider, 'listening')
const address = provider.address()
const upstream = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`

const child = fork(fileURLToPath(new URL('gateway-process.ts', import.meta.url)), [upstream], { execArgv: ['--expose-gc'] })
const [url] = (await once(child, 'message')).map(String)
const agent = new Agent({ keepAlive: true, maxSockets: connections })

/** What the process holds, in bytes. */
async function held(): Promise<{ readonly held: number; readonly rss: number; readonly hits: number }> {
  child.send('memory')
  const [told]: { held: number; rss: number; hits: number }[] = await once(child, 'message')
  if (told === undefined) throw new Error('the gateway did not answer')
  return told
}

/** One request of its number: of ten, seven are hits, one is new, one a stream, one an error, a long header or a client that goes away. */
async function ask(number: number): Promise<void> {
  const kind = number % 10
  const about = kind === 7 ? `new ${number}` : kind === 9 && number % 20 === 9 ? 'refuse' : `question ${number % 97}`
  const stream = kind === 8
  const body = JSON.stringify({
    model: 'gpt-test',
    messages: [{ role: 'user', content: about + ' because'.repeat(100) }],
    ...(stream && { stream }),
  })
  const headers = {
    'content-type': 'application/json',
    authorization: 'Bearer sk-test',
    ...(kind === 9 && { traceparent: `00-${number}` }),
  }
  const sent = request(url ?? '', { method: 'POST', headers, agent }).end(body)
  sent.on('error', () => undefined)
  if (number % 500 === 1) return void setImmediate(() => sent.destroy())
  const [response]: IncomingMessage[] = await once(sent, 'response')
  if (response === undefined) throw new Error('there is no answer')
  response.resume()
  await once(response, 'end')
  const wanted = about.startsWith('refuse') ? 500 : 200
  if (response.statusCode !== wanted) throw new Error(`request ${number} was answered by ${response.statusCode}`)
}

let next = 0
async function until(number: number): Promise<void> {
  const work = async (): Promise<void> => {
    while (next < number) await ask(next++)
  }
  await Promise.all(Array.from({ length: connections }, work))
}

const seen: number[] = []
for (let quarter = 1; quarter <= 4; quarter++) {
  await until((requests / 4) * quarter)
  const { held: now, rss, hits } = await held()
  seen.push(now)
  console.log(`${next} requests, ${hits} hits: holds ${(now / 1e6).toFixed(1)} MB, resident ${(rss / 1e6).toFixed(0)} MB`)
}
const grown = (seen.at(-1) ?? Number.NaN) - (seen[0] ?? Number.NaN)
console.log(`grown by ${(grown / 1e6).toFixed(1)} MB since the first quarter; ${(allowance / 1e6).toFixed(0)} MB are allowed`)
child.kill('SIGKILL')
provider.closeAllConnections()
provider.close()
agent.destroy()
process.exitCode = grown <= allowance ? 0 : 1
