import { once } from 'node:events'
import { connect } from 'node:net'
import { Agent, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { completion } from '../../../test/support/openai-answers.ts'
import { gatewayProcess } from '../support/gateway-process.ts'
import { listening } from '../support/listening.ts'
import { question } from '../support/provider.ts'

/** Asks over a connection of its own or a kept one. @returns how it ended: the status and the text, or the code of the error */
async function asked(url: string, agent: Agent | undefined, body: string): Promise<string> {
  const sent = request(`${url}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-test' },
    ...(agent && { agent }),
  }).end(body)
  try {
    const [response]: IncomingMessage[] = await once(sent, 'response')
    return response === undefined ? 'no response' : `${response.statusCode} ${await text(response)}`
  } catch (error) {
    // A kept connection may close just as it is used again: clients ask again. Source: https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1
    if (sent.reusedSocket && error instanceof Error && 'code' in error && error.code === 'ECONNRESET') return asked(url, agent, body)
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

const ways = [
  ['one process, a connection for each request', [], false],
  ['one process, kept connections', [], true],
  ['two processes, a connection for each request', ['--workers', '2'], false],
  ['two processes, kept connections', ['--workers', '2'], true],
] as const

describe('P08 SIGTERM under load', () => {
  it.each(ways)('loses no request: %s', async (_name, words, isKept) => {
    const { url, child, provider } = await gatewayProcess((_request, reply) => reply.json(completion('Rayleigh.')), words)
    const right = `200 ${JSON.stringify(completion('Rayleigh.'))}`
    const ends: string[] = []
    let answered = 0
    const client = async (number: number): Promise<void> => {
      const agent = isKept ? new Agent({ keepAlive: true, maxSockets: 1 }) : new Agent()
      for (let count = 0; ; count++) {
        const end = await asked(url, agent, question(`Question ${number} ${count}`))
        if (end === right) answered++
        else return void ends.push(end)
        if (answered === 500) child.kill('SIGTERM')
      }
    }
    const exit = once(child, 'exit')
    await Promise.all(Array.from({ length: 32 }, (_, number) => client(number)))
    expect(await exit).toEqual([0, null])
    // Each question is another one, so the provider has seen all that the gateway took.
    expect(answered).toBe(provider.requests.length)
    // What came after the port was closed.
    expect(ends.filter((end) => !['ECONNREFUSED', 'ECONNRESET'].includes(end))).toEqual([])
  })

  it('answers the connections that the system has completed and the process has not yet taken', async () => {
    const { url, server } = await listening()
    const { hostname, port } = new URL(url)
    // The system completes them at once, and this turn of the event loop takes none.
    const sockets = Array.from({ length: 50 }, () => connect(Number(port), hostname))
    const answers = sockets.map(async (socket) => {
      socket.write('GET /health HTTP/1.1\r\nhost: gateway\r\n\r\n')
      return text(socket)
    })
    await server.drain()
    const heads = (await Promise.all(answers)).map((answer) => answer.split('\r\n', 1)[0])
    expect(heads).toEqual(Array.from({ length: 50 }, () => 'HTTP/1.1 200 OK'))
  })
})
