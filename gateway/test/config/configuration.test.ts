import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGateway } from 'llmemo-gateway'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readArguments } from '../../src/config/arguments.ts'
import { configure } from '../../src/config/configuration.ts'

let folder = ''
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'llmemo-gateway-'))))
afterEach(() => rmSync(folder, { recursive: true }))

it('has defaults', () => {
  expect(configure(readArguments([]), {}).server).toEqual({ host: '127.0.0.1', port: 8787, workers: 1, drain: 30 })
})

it('takes flags before variables, and variables before the file', () => {
  const path = join(folder, 'gateway.json')
  writeFileSync(path, JSON.stringify({ server: { port: 1, host: 'file', workers: 3 }, upstreams: { vllm: 'http://vllm/v1' } }))
  const env = { PORT: '2', HOST: 'variable', LLMEMO_UPSTREAM_OPENAI: 'https://openai.example/v1' }
  const { server, upstreams } = configure(readArguments(['--config', path, '--port', '4']), env)
  expect(server).toMatchObject({ port: 4, host: 'variable', workers: 3 })
  expect(upstreams).toEqual({ vllm: 'http://vllm/v1', openai: 'https://openai.example/v1' })
})

it('tells all mistakes at once, and none of the values', () => {
  const env = { PORT: 'sk-secret', LLMEMO_UPSTREAMS: 'sk-secret', LLMEMO_UPSTREAM_OPENAI: 'https://user:sk-secret@host/v1' }
  const tell = (): unknown => configure(readArguments(['--workers', '0', '--config', join(folder, 'none.json')]), env)
  expect(tell).toThrow(/^llmemo-gateway: the options have 5 mistakes\.\n/)
  expect(tell).not.toThrow('secret')
})

it('says which options createGateway does not know', () => {
  // @ts-expect-error there is no such option
  expect(() => createGateway({ upstream: {} })).toThrow('upstream')
})

it.each([
  [{ PORT: '70000' }, 'PORT: must be a whole number from 0 to 65535 (server.port)'],
  [{ SERVICE_PORT: '0x50' }, 'SERVICE_PORT: must be a whole number from 0 to 65535 (server.port)'],
  [{ PORT: '-1' }, 'PORT: must be a whole number'],
  [{ LLMEMO_WORKERS: 'many' }, 'LLMEMO_WORKERS: must be a whole number from 1 to 256'],
  [{ LLMEMO_UPSTREAM_OPENAI: 'api.example' }, 'LLMEMO_UPSTREAM_OPENAI: must be a URL'],
  [{ LLMEMO_UPSTREAM_OPNAI: 'https://h/v1' }, 'LLMEMO_UPSTREAM_OPNAI: is unknown; allowed are LLMEMO_UPSTREAM_OPENAI'],
  [{ LLMEMO_RATE_KEYS: '1/m' }, 'LLMEMO_RATE_KEYS: is unknown'],
  [{ LLMEMO_UPSTREAMS: 'x=https://a/v1,x=https://b/v1' }, 'LLMEMO_UPSTREAMS: has one name twice'],
  [{ LLMEMO_UPSTREAMS: 'vllm=b' }, 'LLMEMO_UPSTREAMS: must be a URL'],
  [{ LLMEMO_PRIVATE_HOSTS: 'http://vllm' }, 'LLMEMO_PRIVATE_HOSTS: must be a host without a scheme'],
  [{ LLMEMO_PRIVATE_HOSTS: 'vllm:8000' }, 'LLMEMO_PRIVATE_HOSTS: must be a host without a scheme'],
  [{ LLMEMO_PROXIES: 'my-proxy' }, 'LLMEMO_PROXIES: must be an IP address'],
  [{ LLMEMO_CORS_ORIGINS: 'https://app.example/' }, 'LLMEMO_CORS_ORIGINS: must be an origin'],
  [{ LLMEMO_CORS_ORIGINS: '*' }, 'LLMEMO_CORS_ORIGINS: must be an origin'],
  [{ LLMEMO_RATE_KEY: '10' }, 'LLMEMO_RATE_KEY: must be a rate such as 600/m'],
  [{ LLMEMO_JWT_JWKS: 'https://i/jwks', LLMEMO_JWT_AUDIENCE: 'a' }, 'LLMEMO_JWT_ISSUER: is needed (access.jwt.issuer)'],
  [{ AWS_REGION: 'us east' }, 'AWS_REGION: must be a region'],
  [{ ENABLE_NATS: 'true', NATS_URL: 'http://h' }, 'NATS_URL: must be a URL such as nats://host:4222'],
])('names the variable that is wrong: %j', (env, message) => {
  expect(() => configure(readArguments([]), env)).toThrow(`the options have a mistake.\n- ${message}`)
})

it.each(['https://h/v1 ', ' https://h/v1', 'https://h/v1\n', 'https://h/v1?', 'https://h/v1#', 'https://h/v1?a=b'])(
  'takes no base URL to which a path cannot be added: %j',
  (url) => {
    expect(() => configure(readArguments([]), { LLMEMO_UPSTREAM_OPENAI: url })).toThrow('LLMEMO_UPSTREAM_OPENAI: must be a URL')
  },
)

it('takes a variable that is empty for none', () => {
  expect(configure(readArguments([]), { PORT: '', SERVICE_PORT: '9000' }).server.port).toBe(9_000)
})

it('takes a file that begins with a byte order mark', () => {
  const path = join(folder, 'gateway.json')
  writeFileSync(path, '\uFEFF{"server":{"port":1}}')
  expect(configure(readArguments(['--config', path]), {}).server.port).toBe(1)
})

it('names the flag that is wrong, and takes addresses of both kinds', () => {
  expect(() => configure(readArguments(['--port', '1e3']), { PORT: '1' })).toThrow('- --port: must be a whole number')
  const env = { LLMEMO_PRIVATE_HOSTS: '::1, vllm.internal', LLMEMO_PROXIES: '10.0.0.1,::1', LLMEMO_CORS_ORIGINS: 'http://localhost:3000' }
  expect(configure(readArguments([]), env).privateHosts).toEqual(['::1', 'vllm.internal'])
})
