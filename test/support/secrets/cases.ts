/**
 * Every case, by the file of the source whose errors, events and log lines it provokes. A secret is planted wherever one can be.
 * @module
 */
import type { Cases } from './issuer.ts'
import { byteCases } from './cases-bytes.ts'
import { clientCases } from './cases-clients.ts'
import { dynamodbCases } from './cases-dynamodb.ts'
import { engineCases } from './cases-engine.ts'
import { optionCases } from './cases-options.ts'
import { redisCases } from './cases-redis.ts'
import { sqliteCases } from './cases-sqlite.ts'
import { testingCases } from './cases-testing.ts'

export const cases: Cases = {
  ...optionCases,
  ...byteCases,
  ...engineCases,
  ...clientCases,
  ...redisCases,
  ...dynamodbCases,
  ...sqliteCases,
  ...testingCases,
}
