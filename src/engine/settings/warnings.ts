/**
 * Options that are possible, but probably not what their user meant. The cache logs one line for each.
 * @module
 */
import { closestName } from '../../closest-name.ts'
import { millisecondsWarning } from '../../duration.ts'
import { shownOption } from '../../errors.ts'
import { operationsOf, providers } from '../../providers/catalogue.ts'

/** Options that are durations. */
const durations = [
  'ttl',
  'stale',
  'maxMemoryTtl',
  'staleWhileRevalidate',
  'staleIfError',
  'flightDeadline',
  'leaseTtl',
  'invalidationDelay',
]
/** Durations that a caller waits for. So many seconds or more are surely milliseconds. */
const waits = ['readDeadline', 'firstReadDeadline']
const longestWait = 20

/** The lines to log for these options, which are valid. */
export function optionWarnings(given: object): readonly string[] {
  const ttl: unknown = Reflect.get(given, 'ttl')
  const byOperation: Readonly<Record<string, unknown>> = typeof ttl === 'object' && ttl !== null ? { ...ttl } : {}
  const lines = [
    ...durations.map((name) => millisecondsWarning(name, Reflect.get(given, name))),
    ...Object.entries(byOperation).map(([operation, value]) => millisecondsWarning(`ttl.${operation}`, value)),
    ...waits.map((name) => waitWarning(name, Reflect.get(given, name))),
    storeWarning(given),
    ...Object.keys(byOperation).map((operation) => operationWarning(operation, byOperation)),
  ]
  return lines.filter((line) => line !== undefined)
}

function storeWarning(given: object): string | undefined {
  if (Reflect.get(given, 'requireStore') !== true || Reflect.get(given, 'store') !== undefined) return undefined
  return 'option "requireStore" has no effect, as this cache has no store. Give it one: createCache({ store })'
}

function waitWarning(option: string, given: unknown): string | undefined {
  if (typeof given !== 'number' || given < longestWait) return undefined
  return `${shownOption(option)} is ${given} seconds, for which each call would wait. For milliseconds write '${given}ms'.`
}

/** An operation may have any name, so one that is only near to a known one is no error. */
function operationWarning(operation: string, ttl: Readonly<Record<string, unknown>>): string | undefined {
  const known = ['default', 'value', ...providers.flatMap(operationsOf)]
  const closest = known.includes(operation) ? undefined : closestName(operation, known)
  if (closest === undefined || Object.hasOwn(ttl, closest)) return undefined
  return (
    `${shownOption(`ttl.${operation}`)} is for an operation that no call has by itself. Did you mean "${closest}"? ` +
    'It holds only for calls that name this operation in their options.'
  )
}
