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
