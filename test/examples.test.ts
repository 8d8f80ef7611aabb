import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request as forward } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startStandIn } from '../examples/stand-in/server.ts'
import { startAzureBlob } from './support/azure-blob-server.ts'
import { startCosmos } from './support/cosmos-server.ts'
import { startFirestore } from './support/firestore-server.ts'
import { assertBuilt, top } from './support/packed.ts'
import { emfValues } from './support/strict-emf.ts'

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
  // For the stand-ins of this process.
  vi.stubEnv('STAND_IN_SPEED', '50')
})

afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

/** The environment of a user without a key, with a fast stand-in. */
function environment(more: Readonly<Record<string, string>>): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', STAND_IN_SPEED: '50', ...more }
}

function flagsFor(name: string): string[] {
  // On Node.js 22 SQLite is experimental, and prints a warning.
  return ['--disable-warning=ExperimentalWarning', join(top, `examples/${name}.ts`)]
}

/** Runs an example in a folder of its own. */
function run(name: string, more: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, flagsFor(name), { cwd: folder, env: environment(more), stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    child.once('error', reject).once('close', (code) => resolve({ code, output, errors }))
  })
}

/** What an example prints, if it ends by itself and without errors. */
async function printedBy(name: string, environment?: Readonly<Record<string, string>>): Promise<string> {
  const { code, output, errors } = await run(name, environment)
  expect({ code, errors }, `${name} printed:\n${output}`).toEqual({ code: 0, errors: '' })
  return output
}

/** A row of a table that an example prints. */
interface PrintedRow {
  readonly call: string
  readonly from: string
  readonly saved: string
}

/** The rows of the table: its columns begin where their names stand in its head. */
function rowsOf(output: string): PrintedRow[] {
  const lines = output.split('\n')
  const place = lines.findIndex((line) => line.startsWith('call '))
  const head = lines[place] ?? ''
  const [from, saved] = [head.indexOf('answered from'), head.indexOf('saved')]
  // The numbers of `took` are right-aligned, and may begin before their head.
  const tookStart = head.indexOf('took') - 4
  return lines.slice(place + 1, lines.indexOf('', place)).map((row) => ({
    call: row.slice(0, from).trim(),
    from: row.slice(from, tookStart).trim(),
    saved: row.slice(saved).trim(),
  }))
}

/** The column "answered from". */
function sources(output: string): string[] {
  return rowsOf(output).map(({ from }) => from)
}

/** The amount with which a cell begins. */
function dollarsIn(cell = ''): number {
  return Number(/^\$([\d.]+)/.exec(cell)?.[1])
}

function longestLine(output: string): number {
  return Math.max(...output.split('\n').map((line) => line.length))
}

describe('npm run quickstart', () => {
  it('fills a file, and is answered from it the second time', async () => {
    const first = await printedBy('quickstart')
    expect(first).toContain('Calls a stand-in on this machine. Set OPENAI_API_KEY to call the real API.')
    expect(sources(first)).toEqual([
      'origin',
      'origin',
      'memory',
      'origin',
      'memory',
      'memory',
      'origin',
      'origin, 4 texts',
      'origin, 2 of 4 texts',
      'origin (no-store)',
    ])
    expect(first).toContain('Hits    5 of 15, a text of a batch counted as one (33 %); 1 bypassed the cache')
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
    expect(second).toContain('Hits    15 of 15, a text of a batch counted as one (100 %); 1 bypassed the cache')
    // The one that bypasses the cache.
    expect(second).toContain('the provider once for 10 calls')
    expect(second).toContain('All answers but the bypass came from quickstart.db.')
  })

  it('says what it saved, of partly stored embeddings too, and what that is at 10,000 calls a day', async () => {
    rmSync(join(folder, 'quickstart.db'), { force: true })
    const first = await printedBy('quickstart')
    const [whole, part] = rowsOf(first).filter(({ call }) => call.startsWith('Embed'))
    expect(whole?.saved).toBe('')
    expect(part?.saved).toMatch(/^\$0\.0000\d+$/)

    const second = await printedBy('quickstart')
    const hits = rowsOf(second).slice(0, -1)
    expect(hits.map(({ saved }) => saved)).toEqual(hits.map(() => expect.stringMatching(/^\$0\.0\d+ · \d+\.\d s$/)))
    // Two of four texts save something, but less than all four.
    expect(dollarsIn(part?.saved)).toBeGreaterThan(0)
    expect(dollarsIn(part?.saved)).toBeLessThan(dollarsIn(hits.at(-1)?.saved))

    const [, usd] = /^Saved {3}\$(0\.0\d+) · \d+,\d{3} tokens · \d+\.\d s of waiting$/m.exec(second) ?? []
    const lines = second.trimEnd().split('\n')
    const [, daily, hours] =
      /^10,000 such calls a day \(100 % hits\) save \$(\d+\.\d\d) and (\d+\.\d) h of waiting each day\.$/.exec(lines.at(-1) ?? '') ?? []
    // Nine calls have saved so much. Two digits of it are printed.
    expect(Number(daily) / ((Number(usd) / 9) * 10_000)).toBeCloseTo(1, 1)
    expect(Number(hours)).toBeGreaterThanOrEqual(0)
  })

  it('fits a terminal of 80 columns, without colours where there is no terminal', async () => {
    const output = await printedBy('quickstart')
    expect(longestLine(output)).toBeLessThanOrEqual(80)
    expect(output).not.toContain('\u001B')
  })

  it('prints each row when its call ends: one that never ends has its name there, and those before it are complete', async () => {
    const stuck = await serveOpenAi((path) => (path === '/v1/responses' ? 'never' : 'answer'))
    const child = spawn(process.execPath, flagsFor('quickstart'), {
      cwd: folder,
      env: environment({ ...stuck.key }),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      let output = ''
      for await (const text of child.stdout.setEncoding('utf8')) {
        output += String(text)
        if (/^Responses API/m.test(output)) break
      }
      expect(output).toMatch(/^The same, not as a stream +memory +\d.* ms +\$/m)
      expect(output).not.toContain('Embed')
    } finally {
      child.kill()
      await stuck.close()
    }
  })
})

/** A provider on the loopback address that answers like the stand-in, fails with the status 500, or never answers, by the path. */
async function serveOpenAi(fate: (path: string) => 'answer' | 'fail' | 'never') {
  const standIn = await startStandIn()
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    requests.push(`${path} ${request.headers.authorization}`)
    const what = fate(path)
    if (what === 'never') return
    if (what === 'fail') {
      const headers = { 'content-type': 'application/json', 'x-should-retry': 'false' }
      response.writeHead(500, headers).end('{"error":{"message":"The engine is overloaded."}}')
      return
    }
    const { method, headers } = request
    const onward = forward({ host: '127.0.0.1', port: standIn.port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers)
      answer.pipe(response)
    })
    request.pipe(onward)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const baseURL = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/v1`
  return {
    baseURL,
    key: { OPENAI_API_KEY: 'a-test', OPENAI_BASE_URL: baseURL },
    requests,
    async close() {
      server.closeAllConnections()
      server.close()
      await standIn.close()
    },
  }
}

describe('with a key', () => {
  it('the quick start says first what it may spend and where, then calls that address', async () => {
    const provider = await serveOpenAi(() => 'answer')
    try {
      const output = await printedBy('quickstart', provider.key)
      const lines = output.split('\n')
      expect(lines[1]).toBe(`Calls ${provider.baseURL} with OPENAI_API_KEY: these calls cost money.`)
      expect(lines[2]).toMatch(/^Up to 7 requests, about \d+,000 tokens in and 5,000 out: about \$0\.0[1-9] at the list$/)
      expect(lines[3]).toBe('price of gpt-5-mini. Answers that are in quickstart.db already cost nothing.')
      expect(lines.findIndex((line) => line.startsWith('call '))).toBeGreaterThan(3)
      expect(longestLine(output)).toBeLessThanOrEqual(80)
      expect(new Set(provider.requests)).toEqual(
        new Set(['/v1/chat/completions', '/v1/responses', '/v1/embeddings'].map((path) => `${path} Bearer a-test`)),
      )
      expect(provider.requests).toHaveLength(7)
    } finally {
      await provider.close()
    }
  })

  it('a call that fails is a row, and the calls after it follow', async () => {
    const provider = await serveOpenAi((path) => (path === '/v1/responses' ? 'fail' : 'answer'))
    try {
      const { code, output, errors } = await run('quickstart', provider.key)
      expect({ code, errors }).toEqual({ code: 1, errors: '' })
      expect(sources(output).slice(5)).toEqual(['memory', 'failed (500)', 'origin, 4 texts', 'origin, 2 of 4 texts', 'origin (no-store)'])
      expect(output).toContain('Failed  500 The engine is overloaded.')
    } finally {
      await provider.close()
    }
  })

  it('if each call fails, each is a row, and the message of the provider is printed once', async () => {
    const provider = await serveOpenAi(() => 'fail')
    try {
      const { code, output } = await run('quickstart', provider.key)
      expect(code).toBe(1)
      expect(sources(output)).toEqual(Array.from({ length: 10 }, () => 'failed (500)'))
      expect(output.match(/overloaded/g)).toHaveLength(1)
      expect(output).not.toContain('Run it again')
    } finally {
      await provider.close()
    }
  })

  it('a user name and password in the address are refused at once, and not printed', async () => {
    const provider = await serveOpenAi(() => 'answer')
    try {
      const secret = provider.baseURL.replace('//', '//user:secret@')
      const { code, output, errors } = await run('quickstart', { ...provider.key, OPENAI_BASE_URL: secret })
      expect({ code, output }).toEqual({ code: 1, output: '' })
      expect(errors).toBe('Take the user name and password out of OPENAI_BASE_URL: fetch refuses an address that holds them.\n')
    } finally {
      await provider.close()
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

  it('shadow: the provider answers every call until the cache is switched on', async () => {
    const output = await printedBy('shadow')
    expect(output).toContain('in shadow: 0 of 4 calls')
    expect(output).toContain('it could have answered 2: 2 with the same words, 0 with others')
    expect(output).toContain('saved tokens and money')
    expect(output).toContain('switched on: 4 of 4 calls')
  })

  it('modes: each does what the standard of fetch says', async () => {
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

  it('embeddings: only new texts are sent, and the search finds the right section', async () => {
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

  it('structured output: another schema makes another key, and a tag invalidates its answers', async () => {
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

  it('bedrock: a stored whole answer serves a stream, and a tag invalidates it', async () => {
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

  it('lambda handler: an error of the SDK is logged, and the caller does not see it', async () => {
    const { output, errors } = await run('lambda-handler', { LLMEMO_BEDROCK: '1', HOME: folder })
    expect(errors).toContain('Region is missing')
    expect(output).toContain('POST /chat for acme: 502\n{"success":false,"error":"The model did not answer."}')
    expect(output).not.toContain('Region')
  })

  it('caching fetch: another SDK, and none at all, get the same answers', async () => {
    const output = await printedBy('caching-fetch')
    expect(output.match(/^ {2}(?:origin|memory)/gm)?.map((line) => line.trim())).toEqual(['origin', 'memory', 'origin', 'memory'])
    expect(output).toContain('cache-status: llmemo; hit; ttl=3600; detail=memory')
  })

  it('custom store: it answers another process, and its faults reach no caller', async () => {
    const output = await printedBy('custom-store')
    expect(output.match(/^ {2}(?:origin|files)/gm)?.map((line) => line.trim())).toEqual(['origin', 'files', 'origin'])
    expect(output).toContain('event: a read failed')
    expect(output).toContain('event: a write failed')
    expect(output).toContain('7 files in the folder')
  })

  it('redis: a second client is answered by Redis, and then by its own memory', async () => {
    const output = await printedBy('redis')
    expect(output).toMatch(/\bredis\b/)
    expect(output).toMatch(/\bmemory\b/)
  })

  it('two processes: Redis answers the second, an invalidation by the second holds in the first, and one asks for both', async () => {
    const output = await printedBy('two-processes')
    const rows = rowsOf(output)
    expect(rows.slice(0, 5).map(({ from }) => from)).toEqual(['origin', 'memory', 'redis', 'memory', 'done'])
    // Either process may be the first.
    expect(
      rows
        .slice(5)
        .map(({ from }) => from)
        .toSorted(),
    ).toEqual(['origin', 'redis'])
    // It lines up: the savings begin in one column.
    expect(rows.filter(({ saved }) => /^\$0\.0\d+ · \d+\.\d s$/.test(saved))).toHaveLength(4)
    expect(longestLine(output)).toBeLessThanOrEqual(80)
    expect(output).toContain('The provider was asked 2 times for 6 calls.')
  })

  it('dynamodb: a second client is answered by the table, a large answer to the letter', async () => {
    const output = await printedBy('dynamodb')
    expect(output).toMatch(/\bdynamodb\b/)
    expect(output).toContain('the same 1333336 characters')
  })

  it('cosmos: a second machine is answered by the container, a large answer comes out of Blob Storage', async () => {
    const [cosmos, blobs] = [await startCosmos(), await startAzureBlob()]
    const own = {
      COSMOS_ENDPOINT: cosmos.endpoint,
      COSMOS_KEY: Buffer.from('a key').toString('base64'),
      BLOB_CONTAINER_URL: blobs.container.url,
    }
    const output = await printedBy('cosmos', own)
    expect(output).toContain('from cosmos\n  the same 400000 numbers')
    expect(blobs.blobs.size).toBe(1)
    await Promise.all([cosmos.close(), blobs.close()])
    expect(await printedBy('cosmos')).toContain('Set COSMOS_ENDPOINT')
  })

  it('firestore: a second machine is answered by the collection, a large answer in parts', async () => {
    const firestore = await startFirestore()
    const output = await printedBy('firestore', { FIRESTORE_EMULATOR_HOST: firestore.host })
    expect(output).toContain('from firestore\n  the same 400000 numbers')
    await firestore.close()
    expect(await printedBy('firestore')).toContain('Set GOOGLE_CLOUD_PROJECT')
  })

  it('monitor: the report, the text for Prometheus and the lines for CloudWatch have the figures of the calls', async () => {
    const output = await printedBy('monitor')
    // Two operations of seven calls with three questions, and one call after an invalidation.
    expect(output).toContain('15 calls, 53 % hits (8; 0 of them stale)')
    expect(output).toMatch(/^qa +4 +4 +50 % /m)
    expect(output).toMatch(/^summarize +4 +3 +57 % /m)
    expect(output).toContain('tag 1 (removed 3)')
    expect(output).toContain('warning: 53 % of 15 calls are hits, fewer than 90 %.')
    expect(output).toContain('llmemo_hits_total{operation="summarize"} 4')
    const [line = ''] = /^\{"_aws".*$/m.exec(output) ?? []
    expect(emfValues(line)).toContainEqual(expect.objectContaining({ name: 'CacheHits', value: 8, dimensions: { service: 'licences' } }))
    const report = output.slice(output.indexOf('The report'), output.indexOf('For Prometheus'))
    expect(longestLine(report)).toBeLessThanOrEqual(80)
  })

  it('otel: the call and the hit are spans of their callers, and only the call has used tokens', async () => {
    const output = await printedBy('otel')
    expect(output).toMatch(/GET \/first > chat gpt-5-mini: llm_cache.hit=false gen_ai.usage.output_tokens=\d+$/m)
    expect(output).toMatch(/GET \/second > chat gpt-5-mini: llm_cache.hit=true llm_cache.saved_tokens=\d+$/m)
    expect(output).toMatch(/llm_cache.hits +1 /)
    expect(output).toMatch(/llm_cache.misses +1 /)
  })

  it('env: variables set the TTLs and the store, and all mistakes are told at once', async () => {
    const output = await printedBy('env')
    expect(output).toMatch(/qa +fresh for 0 s: origin|qa +fresh for (?:600|599) s: origin/)
    expect(output).toMatch(/qa +fresh for (?:600|599) s: memory/)
    expect(output).toMatch(/summarize +fresh for (?:3600|3599) s: origin/)
    const again = await printedBy('env')
    expect(again).toMatch(/qa +fresh for \d+ s: sqlite/)
    const { code, output: mistakes } = await run('env', { CACHE_TTL: 'soon', CACHE_STORE: 'redis:secret' })
    expect(code).toBe(1)
    expect(mistakes).toContain('the environment has 2 mistakes')
    expect(mistakes).not.toContain('secret')
  })

  it('cache-aside: of equal calls at the same time, one makes the value', async () => {
    const output = await printedBy('cache-aside')
    expect(output).toContain('5 asked, 2 read')
    expect(output).toContain('3 values removed, false')
    expect(output).toContain('stored: false, as its finish reason is length')
    expect(output).toContain('found: true, in memory')
    expect(output).toContain('The quick brown… The quick brown… 1 made')
    expect(output).toContain('curious')
  })
})

describe('the stand-in', () => {
  it('refuses a speed that is not a number', async () => {
    const { code, errors } = await run('streaming', { STAND_IN_SPEED: 'fast' })
    expect(code).toBe(1)
    expect(errors).toContain('STAND_IN_SPEED must be a number above 0')
  })
})
