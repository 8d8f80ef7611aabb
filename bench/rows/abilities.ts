/**
 * What each can do at all.
 * @module
 */
import { versionOf } from '../harness/machine.ts'
import type { Row } from '../harness/report.ts'
import { everyone } from '../others/index.ts'

/** What can do the work at all. */
export const abilities: Row = {
  name: 'abilities',
  title: 'What can do the work at all',
  async run() {
    const rows = everyone.map(({ name, package: from, abilities: can }) => [
      from === 'llmemo' || name.endsWith('by hand') ? name : `${name} (${versionOf(from)})`,
      can.streams,
      can.bedrock,
      can.embeddings,
      can.processes,
      can.bound,
    ])
    const header = ['', 'streams', 'Bedrock', 'embeddings per input', 'one call of several processes', 'bound of its memory']
    return {
      tables: [{ caption: 'By documentation and source.', table: { header, rows }, left: [0, 1, 2, 3, 4, 5] }],
      figures: Object.fromEntries(everyone.map(({ name, abilities: can }) => [name, can])),
    }
  },
}
