import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../../../src/errors.ts'
import { azureBlobObjects, gcsObjects, s3Objects } from '../../../src/stores/objects/objects.ts'
import { describeObjects } from '../../contracts/objects.ts'
import { startAzureBlob } from '../../support/azure-blob-server.ts'
import { startGcs } from '../../support/gcs-server.ts'
import { startS3 } from '../../support/s3-server.ts'

describeObjects('s3Objects', async () => {
  const server = await startS3()
  return {
    objects: s3Objects({ client: server.client, bucket: 'answers' }),
    held: server.objects,
    refuse() {
      server.reads = 'slow down'
      server.writes = 'slow down'
    },
    cleanup: () => server.close(),
  }
})

describeObjects('gcsObjects', async () => {
  const server = await startGcs()
  return {
    objects: gcsObjects({ bucket: server.bucket }),
    held: server.objects,
    refuse() {
      server.refuses = true
    },
    cleanup: () => server.close(),
  }
})

describeObjects('azureBlobObjects', async () => {
  const server = await startAzureBlob()
  return {
    objects: azureBlobObjects({ container: server.container }),
    held: server.blobs,
    refuse() {
      server.refuses = true
    },
    cleanup: () => server.close(),
  }
})

describe('gcsObjects', () => {
  it('gives each object the end of its value as its custom time, for a lifecycle rule', async () => {
    const server = await startGcs()
    const { signal } = new AbortController()
    await gcsObjects({ bucket: server.bucket }).put('one', new Uint8Array([1]), { until: Date.UTC(2030, 0, 2, 3, 4, 5, 6), signal })
    expect(server.metadata.get('one')).toMatchObject({ customTime: '2030-01-02T03:04:05.006Z' })
    await server.close()
  })
})

describe('options', () => {
  it.each<[string, (...given: never) => unknown, unknown]>([
    ['client', s3Objects, { bucket: 'answers' }],
    ['bucket', s3Objects, { client: { send: () => undefined } }],
    ['prefix', s3Objects, { client: { send: () => undefined }, bucket: 'answers', prefix: 'a' }],
    ['bucket', gcsObjects, { bucket: 'answers' }],
    ['container', azureBlobObjects, { container: {} }],
  ])('refuse %s where it cannot be (%#)', (option, make, options) => {
    const made = (): unknown => Reflect.apply(make, undefined, [options])
    expect(made).toThrow(InvalidOptionError)
    expect(made).toThrow(option)
  })
})
