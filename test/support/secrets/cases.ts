/**
 * Every case, by the file of the source whose errors, events and log lines it provokes. A secret is planted wherever one can be.
 * @module
 */
import type { Cases, SecretCase } from './issuer.ts'
import { adapterCases } from './cases-adapters.ts'
import { byteCases } from './cases-bytes.ts'
import { cassetteCases } from './cases-cassettes.ts'
import { cliCases } from './cases-cli.ts'
import { clientCases } from './cases-clients.ts'
import { documentCases } from './cases-documents.ts'
import { dynamodbCases } from './cases-dynamodb.ts'
import { engineCases } from './cases-engine.ts'
import { envCases } from './cases-env.ts'
import { fetchCases } from './cases-fetch.ts'
import { monitorCases } from './cases-monitor.ts'
import { objectCases } from './cases-objects.ts'
import { optionCases } from './cases-options.ts'
import { redisCases } from './cases-redis.ts'
import { sealedCases } from './cases-sealed.ts'
import { sqliteCases } from './cases-sqlite.ts'
import { sqsCases } from './cases-sqs.ts'
import { testingCases } from './cases-testing.ts'
import { timesCases } from './cases-times.ts'

const parts: readonly Cases[] = [
  adapterCases,
  optionCases,
  byteCases,
  engineCases,
  sealedCases,
  clientCases,
  cliCases,
  fetchCases,
  redisCases,
  dynamodbCases,
  objectCases,
  documentCases,
  sqliteCases,
  sqsCases,
  testingCases,
  cassetteCases,
  timesCases,
  envCases,
  monitorCases,
]

/** The cases of all parts; those of one file may be in several. */
export const cases: readonly (readonly [file: string, cases: readonly SecretCase[]])[] = parts.flatMap((part) => Object.entries(part))
