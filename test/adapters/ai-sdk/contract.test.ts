import { describeAdapter } from '../../contracts/adapter.ts'
import { versionOf } from '../../support/packed.ts'
import { driveMock, driveOverSocket, socketModels } from './models.ts'

for (const [name, make] of Object.entries(socketModels)) {
  describeAdapter(`ai ${versionOf('ai')} with ${name} ${versionOf(name)}`, { open: (cache) => driveOverSocket(cache, make), tokens: 21 })
}

for (const [name, version] of [
  ['ai', 'v4'],
  ['ai6', 'v3'],
  ['ai5', 'v2'],
] as const) {
  describeAdapter(`ai ${versionOf(name)} with a mock model`, { open: (cache) => driveMock(cache, version), tokens: 21 })
}
