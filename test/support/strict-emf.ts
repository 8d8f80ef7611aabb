/**
 * A strict reader of CloudWatch's embedded metric format: whatever the specification does not allow is an error.
 * @module
 */
import assert from 'node:assert/strict'

/** One value that CloudWatch would take out of a line. */
export interface EmfValue {
  readonly namespace: string
  readonly dimensions: Readonly<Record<string, string>>
  readonly name: string
  readonly unit: string
  readonly value: number
  readonly timestamp: number
}

/** Units as CloudWatch names them. */
const units = new Set([
  'Seconds',
  'Microseconds',
  'Milliseconds',
  'Bytes',
  'Kilobytes',
  'Megabytes',
  'Percent',
  'Count',
  'Count/Second',
  'None',
])

/**
 * The values in one line of a log.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function emfValues(line: string): EmfValue[] {
  assert(!line.includes('\n'), 'an event is one line')
  assert(Buffer.byteLength(line) <= 262_118, 'an event has at most 256 KiB')
  const root = objectIn(JSON.parse(line))
  const metadata = objectIn(root['_aws'])
  assert.deepEqual(Object.keys(metadata).toSorted(), ['CloudWatchMetrics', 'Timestamp'])
  const { Timestamp: timestamp, CloudWatchMetrics: directives } = metadata
  assert(Number.isSafeInteger(timestamp) && typeof timestamp === 'number' && timestamp > 1e12, 'milliseconds since the epoch')
  const named = new Set(['_aws'])
  const values = listIn(directives).flatMap((given) => {
    const directive = objectIn(given)
    assert.deepEqual(Object.keys(directive).toSorted(), ['Dimensions', 'Metrics', 'Namespace'])
    const namespace = textIn(directive['Namespace'], 1_024)
    const sets = listIn(directive['Dimensions'])
    assert(sets.length > 0)
    const metrics = listIn(directive['Metrics'])
    assert(metrics.length <= 100)
    return sets.flatMap((set) => {
      const names = listIn(set).map((name) => textIn(name, 250))
      assert(names.length <= 30 && new Set(names).size === names.length)
      const dimensions = Object.fromEntries(names.map((name) => [name, textIn(root[name], 1_024)]))
      for (const name of names) named.add(name)
      return metrics.map((metric) => {
        const { Name, Unit, ...rest } = objectIn(metric)
        assert.deepEqual(rest, {})
        const name = textIn(Name, 1_024)
        const unit = textIn(Unit, 100)
        assert(units.has(unit), `the unit ${unit}`)
        named.add(name)
        const value = root[name]
        assert(typeof value === 'number' && Number.isFinite(value), `${name} is a number`)
        return { namespace, dimensions, name, unit, value, timestamp }
      })
    })
  })
  assert.deepEqual(
    Object.keys(root).filter((name) => !named.has(name)),
    [],
  )
  return values
}

function objectIn(value: unknown): Record<string, unknown> {
  assert(typeof value === 'object' && value !== null && !Array.isArray(value), 'an object')
  return { ...value }
}

function listIn(value: unknown): unknown[] {
  assert(Array.isArray(value), 'an array')
  return value
}

function textIn(value: unknown, longest: number): string {
  assert(typeof value === 'string' && value.trim() !== '' && value.length <= longest, 'a text')
  assert(/^[\x20-\x7e]+$/.test(value) && !value.startsWith(':'), 'printable ASCII that does not begin with a colon')
  return value
}
