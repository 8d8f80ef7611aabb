/**
 * A DynamoDB for tests: dynalite in this process, on a free port of the loopback. `LLMEMO_DYNAMODB_LOCAL` can name the jar of DynamoDB
 * Local, which then stands in its place where there is Java:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/DynamoDBLocal.html
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { DynamoDBClient, type DynamoDBClientConfig, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, type TranslateConfig } from '@aws-sdk/lib-dynamodb'
import dynalite from 'dynalite'

/** A server that plays DynamoDB. */
export interface DynamodbServer {
  readonly endpoint: string
  /** A client of it, destroyed when the server is closed. */
  client(config?: DynamoDBClientConfig, translate?: TranslateConfig): DynamoDBDocumentClient
  close(): Promise<void>
}

/** What a client needs that no AWS stands behind. */
export const anywhere = { region: 'eu-central-1', credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret-test' } }

/** The jar of DynamoDB Local, when the environment names one. */
export const localJar = process.env['LLMEMO_DYNAMODB_LOCAL']

/** Starts dynalite. */
export async function startDynalite(): Promise<DynamodbServer> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0 })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new TypeError('the server has no port')
  return serverAt(address.port, async () => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
    })
  })
}

/** How many ports DynamoDB Local may find taken in a row, before something else must be wrong. */
const maxStarts = 5

/** Starts DynamoDB Local out of its jar, in memory. It ends at once if its port is taken by then: another port is tried. */
export async function startDynamodbLocal(jar: string): Promise<DynamodbServer> {
  for (let starts = 1; starts <= maxStarts; starts++) {
    const port = await freePort()
    const flags = ['-Djava.library.path=./DynamoDBLocal_lib', '-jar', jar, '-inMemory', '-port', String(port)]
    const child = spawn('java', flags, { cwd: dirname(jar), stdio: 'ignore' })
    const ended = once(child, 'exit').then(() => false)
    const server = serverAt(port, async () => {
      child.kill()
      await ended
    })
    // The SDK tries again until the socket takes connections.
    const patient = new DynamoDBClient({ ...anywhere, endpoint: server.endpoint, maxAttempts: 30 })
    const answers = patient.send(new ListTablesCommand({})).then(() => true)
    const isThere = await Promise.race([answers, ended])
    patient.destroy()
    if (isThere) return server
  }
  throw new Error('DynamoDB Local ended at once')
}

function serverAt(port: number, stop: () => Promise<void>): DynamodbServer {
  const endpoint = `http://127.0.0.1:${port}`
  const clients: DynamoDBClient[] = []
  return {
    endpoint,
    client(config = {}, translate = {}) {
      const bare = new DynamoDBClient({ ...anywhere, endpoint, ...config })
      clients.push(bare)
      return DynamoDBDocumentClient.from(bare, translate)
    },
    async close() {
      for (const client of clients) client.destroy()
      await stop()
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const closed = once(server, 'close')
  server.close()
  await closed
  if (typeof address !== 'object' || address === null) throw new TypeError('no port')
  return address.port
}
