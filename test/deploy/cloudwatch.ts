/**
 * Metrics that an alarm or a dashboard reads: by AWS's own description whether there are any of that name with these dimensions. An alarm on
 * another one waits for ever, and says nothing.
 * @module
 */
import { isJsonObject } from '../../src/json/object.ts'
import { awsSpec } from './aws-spec.ts'

/** A metric that is read. */
export interface ReadMetric {
  /** Who reads it. */
  readonly by: string
  readonly namespace: unknown
  readonly name: unknown
  /** The names of the dimensions. */
  readonly dimensions: readonly string[]
}

/** What the gateway and the coach write, and what the filter of their log counts. */
const own: Readonly<Record<string, readonly (readonly string[])[]>> = {
  CacheHits: [['service'], ['operation', 'service']],
  CacheMisses: [['service'], ['operation', 'service']],
  CacheHitRate: [['service'], ['operation', 'service']],
  CostSaved: [['service'], ['operation', 'service']],
  CacheInvalidations: [['service']],
  StoreLeftOut: [[]],
}

/** A sentence for each metric that there is not. */
export function mistakesInMetrics(metrics: readonly ReadMetric[]): string[] {
  return metrics.flatMap(({ by, namespace, name, dimensions }) => {
    const sets = namespace === 'llmemo' ? own[String(name)] : setsOf(namespace, name)
    if (sets === undefined || sets.length === 0) return [`${by}: reads ${String(namespace)} ${String(name)}, which is no metric`]
    const isThere = sets.some((set) => set.join() === dimensions.toSorted().join())
    return isThere ? [] : [`${by}: reads ${String(name)} by ${dimensions.join()}, by which there is none`]
  })
}

function setsOf(namespace: unknown, name: unknown): readonly (readonly string[])[] {
  return awsSpec()
    .lookup('metric', 'name', 'equals', String(name))
    .filter((metric) => metric.namespace === namespace)
    .flatMap((metric) => awsSpec().follow('usesDimensionSet', metric))
    .map(({ entity }) => entity.dimensions.map((dimension) => dimension.name).toSorted())
}

/** The metrics in the body of a dashboard. */
export function metricsInDashboard(by: string, body: string): ReadMetric[] {
  // What CloudFormation and Terraform replace has no quotation mark, so that it is JSON before as well.
  const { widgets }: { widgets: { properties: { metrics: unknown[][] } }[] } = JSON.parse(body)
  return widgets
    .flatMap(({ properties }) => properties.metrics)
    .filter(([first]) => !isJsonObject(first))
    .map(([namespace, name, ...more]) => {
      const texts = more.filter((each): each is string => typeof each === 'string')
      return { by, namespace, name, dimensions: texts.filter((_, index) => index % 2 === 0) }
    })
}
