import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assertBuilt, top } from './support/packed.ts'

interface Ended {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

let folder = ''

beforeAll(() => {
  // The examples import `llmemo` by its name, which is the built package.
  assertBuilt()
  folder = mkdtempSync(join(tmpdir(), 'llmemo-examples-'))
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Runs an example as a user does who has no key, in a folder of its own, with a stand-in that hurries. */
function run(name: string, environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const env = { PATH: process.env['PATH'] ?? '', STAND_IN_SPEED: '50', ...environment }
  // On Node.js 22 SQLite is experimental, and says so.
  const flags = ['--disable-warning=ExperimentalWarning', join(top, `examples/${name}.ts`)]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, flags, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    child.once('error', reject).once('close', (code) => resolve({ code, output, errors }))
  })
}

/** What an example prints, if it ends by itself and has nothing to complain of. */
async function printedBy(name: string, environment?: Readonly<Record<string, string>>): Promise<string> {
  const { code, output, errors } = await run(name, environment)
  expect({ code, errors }, `${name} printed:\n${output}`).toEqual({ code: 0, errors: '' })
  return output
}

/** The column "answered from" of the quick start's table. */
function sources(output: string): string[] {
  const lines = output.split('\n')
  const head = lines.findIndex((line) => line.startsWith('call '))
  const start = lines[head]?.indexOf('answered from') ?? -1
  const end = lines[head]?.indexOf('took') ?? -1
  const rows = lines.slice(head + 1, lines.indexOf('', head))
  // The numbers of `took` are right-aligned under their head and may begin before it.
  return rows.map((row) => (/^(.*?)\s{2,}/.exec(`${row.slice(start, end + 4)}  `)?.[1] ?? '').trim())
}

describe('npm run quickstart', () => {
  it('fills a file, and is answered from it the second time', async () => {
    const first = await printedBy('quickstart')
    expect(first).toContain('Asking the stand-in on this machine')
    expect(sources(first)).toEqual([
      'origin',
      'origin',
      'memory',
      'origin',
      'memory',
      'memory',
      'origin',
      'origin, 4 inputs',
      'origin, 2 inputs',
      'origin (no-store)',
    ])
    expect(first).toContain('Hits    3 of 9 calls (33 %), and 1 bypassed the cache')
    expect(first).toContain('the provider 7 times for 10 calls')
    expect(first).toContain('Run it again: the answers are in quickstart.db now.')

    const second = await printedBy('quickstart')
    expect(sources(second)).toEqual([
      'sqlite',
      'sqlite',
      'memory',
      'sqlite',
      'memory',
      'memory',
      'sqlite',
      'sqlite',
      'sqlite',
      'origin (no-store)',
    ])
    expect(second).toContain('Hits    9 of 9 calls (100 %), and 1 bypassed the cache')
    // The one that bypasses the cache.
    expect(second).toContain('the provider once for 10 calls')
    expect(second).toContain('All that may be stored came from quickstart.db.')
  })

  it('says what it saved, and fits a terminal of 100 columns without colours where there is no terminal', async () => {
    const output = await printedBy('quickstart')
    expect(output).toMatch(/^Saved {3}\$0\.0\d+ · \d+,\d{3} tokens · \d+\.\d s of waiting$/m)
    expect(Math.max(...output.split('\n').map((line) => line.length))).toBeLessThan(100)
    expect(output).not.toContain('\u001B')
  })
})

describe('with a key', () => {
  it("the real API is asked, at the address of OPENAI_BASE_URL, and its errors are the user's", async () => {
    const asked: string[] = []
    const server = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`)
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":{"message":"Incorrect API key provided."}}')
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    try {
      const key = { OPENAI_API_KEY: 'a-test', OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1` }
      const { code, output, errors } = await run('quickstart', key)
      expect(output).toContain('Asking the real API, by OPENAI_API_KEY.')
      expect(asked).toEqual(['/v1/chat/completions Bearer a-test'])
      expect(errors).toContain('401 Incorrect API key provided.')
      expect(code).toBe(1)
    } finally {
      server.close()
    }
  })
})

describe('examples', () => {
  it('streaming: a replay is the stream again, and serves a helper and a whole answer', async () => {
    const output = await printedBy('streaming')
    const [answer = 'none'] = /^On “Must I keep the copyright notice in all copies\?”: yes\. .*$/m.exec(output) ?? []
    // Streamed twice and whole once; the helper's pieces are counted only.
    expect(output.split(answer)).toHaveLength(4)
    expect(output.match(/^ {2}memory, saved \$/gm)).toHaveLength(3)
    expect(output).toContain('origin (aborted)')
  })

  it('modes: each does what fetch says of it', async () => {
    const output = await printedBy('modes')
    // The ends of the answers' ids stand in a column of their own.
    const ids = output.split('\n').flatMap((line) => /^[\w-]+ +.{43}([0-9a-f]{6}) {2}/.exec(line)?.[1] ?? [])
    const [bypassed, first, again, reloaded, newest, stale, last] = ids
    expect(ids).toHaveLength(7)
    expect(again).toBe(first)
    expect(newest).toBe(reloaded)
    expect(stale).toBe(newest)
    expect(new Set([bypassed, first, reloaded, last]).size).toBe(4)
    expect(output).toContain('NOT_CACHED: the provider was not asked')
    expect(output).toContain('memory, stale')
    expect(output).toContain('The provider was asked 6 times. Bypassed: {"not cached":1,"no-store":3}')
  })

  it('embeddings: only new texts are sent, and the search finds what is meant', async () => {
    const output = await printedBy('embeddings')
    expect([...output.matchAll(/(\d+) texts, (\d+) of them sent/g)].map(([, all, sent]) => [all, sent])).toEqual([
      ['8', '8'],
      ['8', '0'],
      ['9', '2'],
      ['1', '1'],
      ['1', '1'],
    ])
    expect(output).toContain('→ No Liability')
    expect(output).toContain('→ Excuse')
  })

  it('tool calls: both steps of a repeated conversation are answered from memory, and the tool runs again', async () => {
    const output = await printedBy('tool-calls')
    expect(output.match(/^ {2}(?:tool_calls|stop|tool): ?(?:origin|memory|read_licence\(\w+\))/gm)?.map((line) => line.trim())).toEqual([
      'tool_calls: origin',
      'tool: read_licence(zod)',
      'stop: origin',
      'tool_calls: memory',
      'tool: read_licence(zod)',
      'stop: memory',
      'tool_calls: origin',
      'tool: read_licence(fflate)',
      'stop: origin',
    ])
    expect(output).toContain('asked 4 times for 6 steps')
  })

  it('structured output: another schema is another question, and a tag outdates what belongs to it', async () => {
    const output = await printedBy('structured-output')
    expect([...output.matchAll(/^(\w+\/LICENSE): (\w+)/gm)].map(([, path, source]) => `${path} ${source}`)).toEqual([
      'zod/LICENSE origin',
      'zod/LICENSE memory',
      'zod/LICENSE origin',
      'openai/LICENSE origin',
      'zod/LICENSE origin',
      'openai/LICENSE memory',
    ])
    expect(output).toContain("name: 'Apache License'")
  })

  it('anthropic: whole, streamed, counted and with tools, a repeated call is answered from memory', async () => {
    const output = await printedBy('anthropic')
    const [answer = 'none'] = /^On “Must I keep the copyright notice in all copies\?”: yes\. .*$/m.exec(output) ?? []
    expect(output.split(answer)).toHaveLength(3)
    expect(output.match(/^ {2}(?:(?:tool_use|end_turn): )?(?:origin|memory)/gm)?.map((line) => line.trim())).toEqual([
      'origin',
      'memory',
      'memory',
      'origin',
      'memory',
      'tool_use: origin',
      'end_turn: origin',
      'tool_use: memory',
      'end_turn: memory',
    ])
    expect(output).toContain('Anthropic was asked 4 times for 9 calls.')
  })

  it('bedrock: what was stored whole is streamed, and a tag outdates it', async () => {
    const output = await printedBy('bedrock')
    const [answer = 'none'] = /^On “Must I keep the copyright notice in all copies\?”: yes\. .*$/m.exec(output) ?? []
    expect(output.split(answer)).toHaveLength(4)
    const expected = ['origin', 'memory', 'memory', 'origin', 'memory', 'origin']
    expect(output.match(/^ {2}(?:origin|memory)/gm)?.map((line) => line.trim())).toEqual(expected)
    expect(output).toContain('Bedrock was asked 3 times for 6 calls.')
  })

  it('lambda handler: tenants and contexts are kept apart, and its errors are answers', async () => {
    const output = await printedBy('lambda-handler')
    const answers = [...output.matchAll(/^POST (\S+) for (\w+): (\d+)\n(.*)$/gm)].map(([, path, tenant, status, body = '']) => {
      // What the handler writes: each member is asserted below.
      const { success, cached, cacheSource, cacheAge, error, data }: Record<string, unknown> = JSON.parse(body)
      expect(success ? [typeof data, typeof cacheAge] : [data, cacheAge]).toEqual(success ? ['object', 'number'] : [undefined, undefined])
      return [path, tenant, status, success, ...(success === true ? [cached, cacheSource] : [error])].join(' ')
    })
    expect(answers).toEqual([
      '/chat acme 200 true false origin',
      '/chat acme 200 true true memory',
      '/chat globex 200 true false origin',
      '/plan acme 200 true false origin',
      '/plan acme 200 true true memory',
      '/plan acme 200 true false origin',
      '/chat acme 400 false message must be a text.',
      '/none acme 404 false There are POST /chat and POST /plan.',
    ])
    expect(output).toContain('Bedrock was asked 4 times.')
  })

  it('lambda handler: what the SDK complains of is logged, and not told to the caller', async () => {
    const { output, errors } = await run('lambda-handler', { LLMEMO_BEDROCK: '1', HOME: folder })
    expect(errors).toContain('Region is missing')
    expect(output).toContain('POST /chat for acme: 502\n{"success":false,"error":"The model could not be asked."}')
    expect(output).not.toContain('Region')
  })

  it('caching fetch: another SDK, and none at all, get the same answers', async () => {
    const output = await printedBy('caching-fetch')
    expect(output.match(/^ {2}(?:origin|memory)/gm)?.map((line) => line.trim())).toEqual(['origin', 'memory', 'origin', 'memory'])
    expect(output).toContain('cache-status: llmemo; hit; ttl=3600')
  })

  it('custom store: it answers another process, and its faults reach nobody', async () => {
    const output = await printedBy('custom-store')
    expect(output.match(/^ {2}(?:origin|files)/gm)?.map((line) => line.trim())).toEqual(['origin', 'files', 'origin'])
    expect(output).toContain('event: a read failed')
    expect(output).toContain('event: a write failed')
    expect(output).toContain('1 file in the folder')
  })

  it('redis: a second client is answered by Redis, and then by its own memory', async () => {
    const output = await printedBy('redis')
    expect(output).toMatch(/\bredis\b/)
    expect(output).toMatch(/\bmemory\b/)
  })

  it('two processes: the second is answered by Redis, the first heeds what the second declares outdated, and one asks for both', async () => {
    const lines = (await printedBy('two-processes')).split('\n')
    const head = lines.findIndex((line) => line.startsWith('call '))
    const column = (name: string): number => lines[head]?.indexOf(name) ?? -1
    const rows = lines.slice(head + 1, lines.indexOf('', head))
    const sources = rows.map((row) =>
      row
        .slice(column('answered from'), column('took'))
        .trim()
        .replace(/\s{2,}.*$/, ''),
    )
    expect(sources.slice(0, 5)).toEqual(['origin', 'memory', 'redis', 'memory', 'Redis was told'])
    // Which of the two is first is for chance to say.
    expect(sources.slice(5).toSorted()).toEqual(['origin', 'redis'])
    // It lines up: what was saved begins in one column, and nothing of another one reaches into it.
    const hits = rows.filter((row) => row.includes('$'))
    expect(hits.map((row) => row.indexOf('$'))).toEqual(hits.map(() => column('saved')))
    expect(hits).toHaveLength(4)
    expect(lines).toContain('The provider was asked 2 times for 6 calls.')
  })

  it('dynamodb: a second client is answered by the table, a large answer to the letter', async () => {
    const output = await printedBy('dynamodb')
    expect(output).toMatch(/\bdynamodb\b/)
    expect(output).toContain('the same 1333336 characters')
  })

  it('cache-aside: one of those who ask at the same time makes the value', async () => {
    const output = await printedBy('cache-aside')
    expect(output).toContain('5 asked, 2 read')
    expect(output).toContain('3 values removed, false')
    expect(output).toContain('stored: false, as its finish reason is length')
    expect(output).toContain('found: true, in memory')
  })
})

describe('the stand-in', () => {
  it('refuses a speed that is none', async () => {
    const { code, errors } = await run('streaming', { STAND_IN_SPEED: 'fast' })
    expect(code).toBe(1)
    expect(errors).toContain('STAND_IN_SPEED must be a number above 0')
  })
})
