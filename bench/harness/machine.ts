/**
 * What was measured on, and which versions.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { arch, cpus, platform, totalmem } from 'node:os'
import { dirname, join } from 'node:path'

/** The machine and the runtime. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  /** GiB. */
  readonly memory: number
  readonly platform: string
  readonly node: string
  readonly v8: string
  readonly redis: string
}

/** This machine. */
export function machine(): Machine {
  const [first] = cpus()
  return {
    cpu: first?.model ?? 'unknown',
    cores: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    platform: `${platform()} ${arch()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    redis: redisVersion(),
  }
}

/** Packages that are measured or measured with. */
const packages = [
  'openai',
  '@anthropic-ai/sdk',
  '@aws-sdk/client-bedrock-runtime',
  '@aws-sdk/client-dynamodb',
  'ioredis',
  'fflate',
  'lru-cache',
  'canonicalize',
  'safe-stable-stringify',
  'ai',
  '@ai-sdk/openai',
  '@langchain/openai',
  '@langchain/core',
  '@langchain/redis',
  'bentocache',
  'cacheable',
  '@keyv/redis',
  'llm-cacher',
  'dynalite',
]

/** The versions that this folder's modules get, by name. */
export function versions(): Record<string, string> {
  const own: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'))
  return { llmemo: String(Reflect.get(Object(own), 'version')), ...Object.fromEntries(packages.map((name) => [name, versionOf(name)])) }
}

/** The version of one package, as Node would find it from here. */
export function versionOf(name: string): string {
  for (let folder = dirname(import.meta.dirname); ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name, 'package.json')
    if (existsSync(path)) {
      const read: unknown = JSON.parse(readFileSync(path, 'utf8'))
      return String(Reflect.get(Object(read), 'version'))
    }
    if (folder === dirname(folder)) return 'not installed'
  }
}

function redisVersion(): string {
  try {
    return /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown'
  } catch {
    return 'not installed'
  }
}
