/**
 * Cases of places for objects: wrong options, a package that is not there, objects that are not as they were written.
 * @module
 */
import { registerHooks } from 'node:module'
import { type ObjectStore, s3Objects } from '../../../src/stores/objects/objects.ts'
import { LargeValues } from '../../../src/stores/objects/large-values.ts'
import { checkedOverflow } from '../../../src/stores/objects/object-store.ts'
import { TimeLimit } from '../../../src/base/time-limit.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import type { Cases, SecretCase } from './issuer.ts'
import { secret } from './marker.ts'
import { mistaken } from './mistaken.ts'

const password = secret('password')
const bytes = new TextEncoder().encode(secret('answer'))
const signal = new AbortController().signal
const refusedBy = (name: string, action: () => unknown): SecretCase => ({ name, run: (issuer) => issuer.refused(action) })

function place(members: Partial<ObjectStore>): ObjectStore {
  return { name: 'a place', put: async () => password, get: async () => undefined, delete: async () => undefined, ...members }
}

function valuesIn(objects: ObjectStore): LargeValues {
  return new LargeValues({ objects, prefix: '', above: 1 }, new TimeLimit(new ManualClock(), 100))
}

/** Throws what would be reported. */
const thrown = {
  once(_part: string, message: string, cause: unknown): void {
    throw new Error(message, { cause })
  },
  passed: () => undefined,
}

export const objectCases: Cases = {
  'src/stores/objects/object-store.ts': [
    refusedBy('no place', () => checkedOverflow({ objects: mistaken({ password }) }, 10)),
    refusedBy('no name', () => checkedOverflow({ objects: place({ name: mistaken({ password }) }) }, 10)),
    refusedBy('no prefix', () => checkedOverflow({ objects: place({}), prefix: mistaken({ password }) }, 10)),
  ],
  'src/stores/objects/large-values.ts': [
    refusedBy('another object than was written', () =>
      valuesIn(place({ get: async () => bytes })).read({ object: password, tag: password, size: 1 }, thrown),
    ),
    refusedBy('a place that fails', () =>
      valuesIn(place({ put: () => Promise.reject(Object.assign(new Error(password), { code: password, body: bytes })) })).write(bytes, 1),
    ),
  ],
  'src/stores/objects/s3.ts': [
    refusedBy('no client', () => s3Objects({ client: mistaken({ password }), bucket: 'answers' })),
    refusedBy('no bucket', () => s3Objects({ client: { send: async () => ({}) }, bucket: mistaken({ password }) })),
    refusedBy('an answer without a body', () =>
      s3Objects({ client: { send: async () => ({ password }) }, bucket: 'answers' }).get({ name: password, tag: '', size: 1 }, { signal }),
    ),
    {
      name: 'the package of S3 is not there',
      async run(issuer) {
        const hooks = registerHooks({
          resolve(specifier, context, next) {
            if (specifier === '@aws-sdk/client-s3') throw Object.assign(new Error(`no ${password}`), { code: 'ERR_MODULE_NOT_FOUND' })
            return next(specifier, context)
          },
        })
        try {
          const again = '../../../src/stores/objects/s3.ts?again'
          const { s3Objects: madeAgain }: { s3Objects: typeof s3Objects } = await import(again)
          const objects = madeAgain({ client: { send: async () => ({}) }, bucket: 'answers' })
          await issuer.refused(() => objects.put(password, bytes, { until: 1, signal }))
        } finally {
          hooks.deregister()
        }
      },
    },
  ],
}
