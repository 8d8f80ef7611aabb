/**
 * `npm run golden`: writes the stores of `test/golden/stores` and `test/golden/documents` that are not there yet. With `-- --again` it writes
 * all of them, which is allowed until the version that wrote them is published, and never after.
 * @module
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { documentsOf, goldenDatabases, textOfDump } from './golden-documents.ts'
import { dumpOf, goldenStores } from './golden-stores.ts'

const folder = new URL('../golden/stores/', import.meta.url)
mkdirSync(folder, { recursive: true })
for (const [name, golden] of Object.entries(goldenStores)) {
  const file = new URL(`${name}.json`, folder)
  if (existsSync(file) && !process.argv.includes('--again')) continue
  writeFileSync(file, `${JSON.stringify(await dumpOf(golden), undefined, 2)}\n`)
  console.log(`test/golden/stores/${name}.json`)
}

const documents = new URL('../golden/documents/', import.meta.url)
mkdirSync(documents, { recursive: true })
for (const [name, open] of Object.entries(goldenDatabases)) {
  const file = new URL(`${name}.json`, documents)
  if (existsSync(file) && !process.argv.includes('--again')) continue
  writeFileSync(file, textOfDump(await documentsOf(open)))
  console.log(`test/golden/documents/${name}.json`)
}
