/**
 * The variables of the environment that are the gateway's own. Those of the cache are read by `llmemo/env`.
 * @module
 */
import { accessVariables } from './access-environment.ts'
import { optionOf } from './option-names.ts'

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

const ownUpstreams = ['openai', 'anthropic', 'bedrock', 'gemini']

/** The options that the environment gives, to be checked. @param mistakes receives a sentence for each mistake */
export function readEnvironment(env: Environment, mistakes: string[]): Record<string, unknown> {
  const port = [env['PORT'], env['SERVICE_PORT']].find(isGiven)
  const workers = env['LLMEMO_WORKERS']
  const region = [env['AWS_REGION'], env['AWS_DEFAULT_REGION']].find(isGiven)
  const hosts = env['LLMEMO_PRIVATE_HOSTS']
  mistakes.push(...unknownIn(env))
  return {
    server: {
      ...(port !== undefined && { port: numberIn(port) }),
      ...(isGiven(env['HOST']) && { host: env['HOST'] }),
      ...(isGiven(workers) && { workers: numberIn(workers) }),
    },
    ...(region !== undefined && { awsRegion: region }),
    upstreams: { ...named(env), ...further(env['LLMEMO_UPSTREAMS'], mistakes) },
    ...(isGiven(hosts) && { privateHosts: hosts.split(',').map((host) => host.trim()) }),
    ...(isGiven(env['LLMEMO_CLOUDWATCH']) && { cloudwatch: env['LLMEMO_CLOUDWATCH'] }),
    ...natsOf(env['ENABLE_NATS'], env['NATS_URL'], mistakes),
    access: accessVariables(env),
  }
}

/** The number in a text of digits. */
export function numberIn(text: string): number {
  return /^\s*\d+\s*$/.test(text) ? Number(text) : Number.NaN
}

/** What the names of the gateway's variables begin with, where no other program's do. */
const ownPrefixes = /^LLMEMO_(?:UPSTREAM|RATE|JWT|CORS)_/

/** A sentence for each variable that would be of no effect, as its name is not written well. */
function unknownIn(env: Environment): string[] {
  const unknown = Object.keys(env).filter((name) => ownPrefixes.test(name) && isGiven(env[name]) && !Object.hasOwn(optionOf, name))
  return unknown.map((name) => `${name}: is unknown; allowed are ${namesWith(ownPrefixes.exec(name)?.[0] ?? '')}`)
}

function namesWith(prefix: string): string {
  const names = Object.keys(optionOf).filter((name) => name.startsWith(prefix))
  return names.join(', ')
}

function natsOf(enabled: string | undefined, url: string | undefined, mistakes: string[]): Record<string, unknown> {
  if (!isGiven(enabled) || enabled === 'false') return {}
  if (enabled !== 'true') mistakes.push('ENABLE_NATS: must be true or false')
  if (!isGiven(url)) mistakes.push('NATS_URL: is needed with ENABLE_NATS, such as nats://host:4222')
  return isGiven(url) ? { nats: { url } } : {}
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== ''
}

function named(env: Environment): Record<string, string> {
  const given = ownUpstreams.map((name) => [name, env[`LLMEMO_UPSTREAM_${name.toUpperCase()}`]] as const)
  return Object.fromEntries(given.filter((pair): pair is readonly [string, string] => isGiven(pair[1])))
}

/** `openrouter=https://openrouter.ai/api/v1,vllm=http://vllm:8000/v1`. */
function further(text: string | undefined, mistakes: string[]): Record<string, string> {
  if (!isGiven(text)) return {}
  const pairs = text.split(',').map((each) => each.trim())
  const found = pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const)
  if (new Set(found.map(([name]) => name)).size < found.length) mistakes.push('LLMEMO_UPSTREAMS: has one name twice')
  if (pairs.every((pair) => pair.includes('='))) return Object.fromEntries(found)
  mistakes.push('LLMEMO_UPSTREAMS: must be pairs such as openrouter=https://host/v1, with commas between them')
  return {}
}
