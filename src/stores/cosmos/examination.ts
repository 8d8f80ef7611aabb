/**
 * Looks for settings of a container that a person should change: it removes nothing, or is partitioned by something else.
 * @module
 */
import type { TimeLimit } from '../../base/time-limit.ts'
import type { DocumentReports } from '../documents/reports.ts'
import type { CosmosContainer } from './container.ts'

/** What is examined, and who is told. */
export interface Examination {
  readonly container: CosmosContainer
  readonly partitionKey: string
  readonly limit: TimeLimit
  readonly reports: DocumentReports
}

/** Reads the settings of the container, and reports those that do not fit. */
export async function examineContainer({ container, partitionKey, limit, reports }: Examination): Promise<void> {
  const { resource } = await limit.within('a request to Cosmos DB', (abortSignal) => container.read({ abortSignal }))
  if (typeof resource !== 'object' || resource === null) return
  const settings: Record<string, unknown> = { ...resource }
  const paths: unknown = Reflect.get(Object(settings['partitionKey']), 'paths')
  if (Array.isArray(paths) && (paths.length !== 1 || paths[0] !== `/${partitionKey}`))
    reports.advise(
      `the Cosmos DB container is not partitioned by "/${partitionKey}"; make a container that is, or set the option "partitionKey".`,
    )
  if (typeof settings['defaultTtl'] !== 'number')
    reports.advise('the Cosmos DB container has no default TTL, so it never removes what has ended; set its defaultTtl to -1.')
}
