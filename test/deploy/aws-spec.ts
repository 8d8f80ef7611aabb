/**
 * AWS's own description of its resources and metrics.
 * @module
 */
import { createRequire } from 'node:module'

/** The part of a resource's description that is read. */
export interface Described {
  readonly properties: Readonly<Record<string, Property>>
}

/** A property of a resource. */
interface Property {
  readonly type: PropertyType
  readonly required?: boolean
}

/** What a property may be. */
export interface PropertyType {
  readonly type: string
  readonly element?: PropertyType
  readonly reference?: { readonly $ref: string }
  readonly allowedValues?: readonly unknown[]
}

interface Metric {
  readonly namespace: string
}

/** A set of dimensions, by which a metric is told. */
interface DimensionSet {
  readonly entity: { readonly dimensions: readonly { readonly name: string }[] }
}

/** The description, as far as it is read. */
export interface Database {
  lookup(entity: 'resource', index: 'cloudFormationType', kind: 'equals', name: string): readonly Described[]
  lookup(entity: 'metric', index: 'name', kind: 'equals', name: string): readonly Metric[]
  follow(relation: 'usesDimensionSet', metric: Metric): readonly DimensionSet[]
  get(entity: 'typeDefinition', id: unknown): Described
}

// The package is CommonJS, and its types need two more packages.
const { loadAwsServiceSpecSync }: { loadAwsServiceSpecSync: () => Database } = createRequire(import.meta.url)('@aws-cdk/aws-service-spec')
let loaded: Database | undefined

/** The description. It is read once, when it is first needed. */
export function awsSpec(): Database {
  loaded ??= loadAwsServiceSpecSync()
  return loaded
}
