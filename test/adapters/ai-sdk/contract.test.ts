import type { Cache } from '../../../src/cache/cache.ts'
import { type AdapterDriver, describeAdapter } from '../../contracts/adapter.ts'
import { versionOf } from '../../support/packed.ts'
import { driveMock, driveOther, driveOverSocket, socketModels } from './models.ts'

for (const [name, model] of Object.entries(socketModels)) {
  describeAdapter(`ai ${versionOf('ai')} with ${name} ${versionOf(name)}`, { open: (cache) => driveOverSocket(cache, model), tokens: 21 })
}

for (const [name, version] of [
  ['ai', 'v4'],
  ['ai6', 'v3'],
  ['ai5', 'v2'],
] as const) {
  describeAdapter(`ai ${versionOf(name)} with a mock model`, { open: (cache) => driveMock(cache, version), tokens: 21 })
  for (const kind of ['embedding', 'image'] as const) {
    const open = (cache: Cache): AdapterDriver => driveOther(cache, kind, version)
    describeAdapter(`ai ${versionOf(name)} with an ${kind} model`, { open, tokens: 21, streams: false })
  }
}
