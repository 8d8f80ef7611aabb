/**
 * Cases of what tests of users call.
 * @module
 */
import { AssertionError } from 'node:assert/strict'
import { ChaosPlan } from '../../../src/testing/chaos-plan.ts'
import { chaosStore } from '../../../src/testing/chaos-store.ts'
import { storeConformance } from '../../../src/testing/index.ts'
import { memoryStore } from '../../../src/stores/memory-store.ts'
import type { Cases } from './issuer.ts'
import { secret } from './marker.ts'
import { mistaken } from './mistaken.ts'

const password = secret('password')

export const testingCases: Cases = {
  'src/testing/chaos-plan.ts': [
    { name: 'a kind', run: (issuer) => issuer.refused(() => new ChaosPlan(() => 0).add(mistaken(password), 'always', {})) },
    {
      name: 'a share',
      run: (issuer) => issuer.refused(() => new ChaosPlan(() => 0).add('throws', { probability: mistaken(password) }, {})),
    },
  ],
  'src/testing/chaos-store.ts': [
    {
      name: 'a fault',
      async run(issuer) {
        const store = chaosStore(memoryStore())
        store.will('throws', 'always')
        await issuer.refused(() => store.get(password))
      },
    },
  ],
  'src/testing/store-check.ts': [
    {
      name: 'a store that gives something else shows what the check itself wrote',
      async run(issuer) {
        const other = { name: 'other', get: () => new Uint8Array([1]), set() {}, delete() {} }
        const check = storeConformance.find(({ name }) => name.startsWith('returns every byte'))
        const error = await issuer.refused(() => check?.run(async () => mistaken({ store: other, advance: async () => {} })))
        if (!(error instanceof AssertionError)) throw error
      },
    },
  ],
}
