/**
 * The options of a cache from the variables of an environment.
 * @module
 */
import { closestName } from '../closest-name.ts'
import { type Duration, milliseconds, millisecondsOrNone, millisecondsWarning } from '../duration.ts'
import { cacheModes } from '../engine/settings/call-options.ts'
import type { CacheOptions } from '../engine/settings/options.ts'
import { type EnvironmentReader, shownVariable } from './reader.ts'

/** The variables that are read, those of single operations left out. */
export const variableNames = [
  'CACHE_ENABLED',
  'CACHE_MODE',
  'CACHE_TTL',
  'CACHE_STALE',
  'CACHE_STALE_IF_ERROR',
  'CACHE_STALE_WHILE_REVALIDATE',
  'CACHE_STORE',
  'CACHE_TABLE',
  'CACHE_NAMESPACE',
  'CACHE_SCOPE',
  'CACHE_REQUIRE_SCOPE',
  'CACHE_MEMORY_BYTES',
  'CACHE_COMPRESSION_THRESHOLD',
  'CACHE_COMPRESSION_LEVEL',
  'CACHE_ENCRYPTION_KEYS',
  'CACHE_SAVINGS',
] as const

const durationNames = ['CACHE_TTL', 'CACHE_STALE', 'CACHE_STALE_IF_ERROR', 'CACHE_STALE_WHILE_REVALIDATE']
const operationPrefix = 'CACHE_TTL_'
const durations = "a number of seconds, or a text such as '30s', '10m', '2h' or '7d', at most one year"
const levels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const

/** The options that the environment gives; mistakes are left with the reader. */
export function optionsIn(reader: EnvironmentReader): CacheOptions {
  const namespace = [reader.text('CACHE_NAMESPACE'), reader.text('STAGE')].filter((part) => part !== undefined).join('-')
  return withoutUndefined({
    ...switchesIn(reader),
    ttl: ttlIn(reader),
    stale: duration(reader, 'CACHE_STALE'),
    staleIfError: duration(reader, 'CACHE_STALE_IF_ERROR'),
    staleWhileRevalidate: duration(reader, 'CACHE_STALE_WHILE_REVALIDATE'),
    namespace: namespace === '' ? undefined : namespace,
    scope: reader.text('CACHE_SCOPE'),
    requireScope: reader.flag('CACHE_REQUIRE_SCOPE'),
    maxMemoryBytes: reader.number('CACHE_MEMORY_BYTES', 0),
    compressAbove: reader.number('CACHE_COMPRESSION_THRESHOLD', 0),
    encryption: encryptionIn(reader),
    savings: reader.flag('CACHE_SAVINGS'),
    logger: loggerIn(reader),
  })
}

/** Warnings of variables that are probably misspelt: they begin as ours do, and are none of them. */
export function misspelt(reader: EnvironmentReader): string[] {
  return reader.names.flatMap((name) => {
    const isOperation = name.startsWith(operationPrefix) && name !== operationPrefix
    if (!name.startsWith('CACHE_') || isOperation || variableNames.some((known) => known === name)) return []
    const near = closestName(name, variableNames)
    return near === undefined ? [] : [`llmemo: the variable ${shownVariable(name)} is unknown. Did you mean ${near}?`]
  })
}

/** Warnings of durations that were probably meant as milliseconds. */
export function inMilliseconds(reader: EnvironmentReader): string[] {
  return reader.names.flatMap((name) => {
    if (!durationNames.some((known) => known === name) && !name.startsWith(operationPrefix)) return []
    const text = reader.text(name) ?? ''
    if (!/^\d+$/.test(text) || millisecondsWarning(name, Number(text)) === undefined) return []
    return [`llmemo: ${shownVariable(name)} counts seconds and is probably meant in milliseconds. Write its unit: 'ms' or 's'.`]
  })
}

/** On or off, the mode, and bounds beside bytes. */
function switchesIn(reader: EnvironmentReader) {
  return {
    enabled: reader.flag('CACHE_ENABLED'),
    mode: reader.choice('CACHE_MODE', [...cacheModes, 'shadow']),
    maxMemoryEntries: reader.number('MEMORY_CACHE_SIZE', 1),
    compressionLevel: reader.number('CACHE_COMPRESSION_LEVEL', 1, 9),
  }
}

function ttlIn(reader: EnvironmentReader): CacheOptions['ttl'] {
  const operations = reader.names.filter((name) => name.startsWith(operationPrefix) && name.length > operationPrefix.length)
  const single = operations.flatMap((name): [string, Duration][] => {
    const ttl = duration(reader, name, false)
    return ttl === undefined ? [] : [[name.slice(operationPrefix.length).toLowerCase(), ttl]]
  })
  const whole = duration(reader, 'CACHE_TTL', false)
  if (whole === undefined && single.length === 0) return undefined
  return Object.fromEntries([...(whole === undefined ? [] : [['default', whole] as const]), ...single])
}

function duration(reader: EnvironmentReader, name: string, orNone = true): Duration | undefined {
  return reader.parsed(name, durations, (text) => {
    const given: unknown = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text
    try {
      const length = (orNone ? millisecondsOrNone : milliseconds)(name, given)
      return length === 0 ? 0 : (`${length}ms` as const)
    } catch {
      return undefined
    }
  })
}

/** `id:key`, several of them with commas between them. The first one encrypts, all of them decrypt. */
function encryptionIn(reader: EnvironmentReader): CacheOptions['encryption'] {
  return reader.parsed(
    'CACHE_ENCRYPTION_KEYS',
    "'id:key', or several with commas between them, each with another id; a key is 32 bytes in base64 or hex",
    (text) => {
      const pairs = text.split(',').map((pair) => /^\s*([^:\s]{1,64}):\s*(\S+)\s*$/.exec(pair))
      const keys = pairs.flatMap((pair) => (pair?.[1] === undefined || pair[2] === undefined ? [] : [[pair[1], pair[2]] as const]))
      const isEach32Bytes = keys.every(([, key]) => /^[0-9a-f]{64}$/i.test(key) || /^[\w+/-]{43}=?$/.test(key))
      const [first] = keys
      const ids = new Set(keys.map(([id]) => id))
      if (first === undefined || ids.size < pairs.length || !isEach32Bytes) return undefined
      return { keys: Object.fromEntries(keys), current: first[0] }
    },
  )
}

function loggerIn(reader: EnvironmentReader): CacheOptions['logger'] {
  const level = reader.choice('LOG_LEVEL', levels)
  if (level === 'error' || level === 'silent') return false
  if (level === 'warn') return { warn: (line) => console.warn(line), info: () => undefined }
  return undefined
}

/** An option that is given must have a value. */
function withoutUndefined(options: { readonly [Name in keyof CacheOptions]: CacheOptions[Name] | undefined }): CacheOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
