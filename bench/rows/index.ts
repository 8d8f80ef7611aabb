/**
 * All rows, in the order in which they are printed.
 * @module
 */
import type { Row } from '../harness/report.ts'
import { abilities } from './abilities.ts'
import { clientHit } from './client-hit.ts'
import { coalescing } from './coalescing.ts'
import { codec } from './codec.ts'
import { dynamodbHit } from './dynamodb-hit.ts'
import { embeddings } from './embeddings.ts'
import { engineHit } from './engine-hit.ts'
import { gatewayRow } from './gateway.ts'
import { growth } from './growth.ts'
import { importAndSize } from './import-and-size.ts'
import { key } from './key.ts'
import { memory } from './memory.ts'
import { miss } from './miss.ts'
import { observers } from './observers.ts'
import { processesRow } from './processes.ts'
import { redisHit } from './redis-hit.ts'
import { seamAndBypass } from './seam-and-bypass.ts'
import { sqliteHit } from './sqlite-hit.ts'
import { streamHit } from './stream-hit.ts'
import { workload } from './workload.ts'

const all: readonly Row[] = [
  abilities,
  engineHit,
  clientHit,
  observers,
  seamAndBypass,
  redisHit,
  sqliteHit,
  dynamodbHit,
  miss,
  streamHit,
  coalescing,
  embeddings,
  memory,
  importAndSize,
  processesRow,
  gatewayRow,
  key,
  codec,
  growth,
  workload,
]

/** The names of all rows. */
export const rowNames: readonly string[] = all.map(({ name }) => name)

/** The rows of these names, in their order of printing; all of them without names. @throws {RangeError} when there is no such row */
export function rowsNamed(names: readonly string[] = rowNames): readonly Row[] {
  const unknown = names.find((name) => !rowNames.includes(name))
  if (unknown !== undefined) throw new RangeError(`There is no row ${unknown}; there are ${rowNames.join(', ')}.`)
  return all.filter(({ name }) => names.includes(name))
}
