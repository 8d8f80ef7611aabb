/**
 * A store of your own: a name, `get`, `set` and `delete`. This one keeps every value in a file of its own.
 * A store may be slow or fail: the cache waits 100 ms for a read, then asks the provider, and emits an event.
 * @module
 */
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { createCache, type Store, withCache } from 'llmemo'
import { openProvider } from './provider.ts'
import { line, strong } from './report.ts'

/** A store of files. A file holds the time at which it expires in eight bytes, then the value. */
function fileStore(folder: string): Store {
  // Keys hold characters that file names must not have.
  const path = (key: string): string => join(folder, createHash('sha256').update(key).digest('hex'))
  return {
    name: 'files',
    async get(key) {
      const file = await readFile(path(key)).catch(nothingIfMissing)
      if (file === undefined || file.readDoubleLE() <= Date.now()) return undefined
      return file.subarray(8)
    },
    async set(key, value, { ttl }) {
      const expires = Buffer.alloc(8)
      expires.writeDoubleLE(Date.now() + ttl)
      // A reader gets the old value or the new one, never half of it.
      const draft = `${path(key)}.${crypto.randomUUID()}`
      await writeFile(draft, Buffer.concat([expires, value]))
      await rename(draft, path(key))
    },
    async delete(key) {
      await rm(path(key), { force: true })
    },
  }
}

/** A missing file is a miss. The cache reports any other error. */
function nothingIfMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}

const provider = await openProvider()
const folder = await mkdtemp(join(tmpdir(), 'llmemo-files-'))
console.log(strong(provider.description))

// Each cache stands for a process. The second has an empty memory, and finds the answer in the files.
for (const process of ['one process', 'another process', 'a third one, with a broken store']) {
  console.log(`\n${strong(process)}`)
  const store = fileStore(process.startsWith('a third') ? join(folder, 'not there', '\0') : folder)
  const cache = createCache({ store, logger: false })
  cache.on('error', ({ doing }) => console.log(`  event: a ${doing} failed`))
  const openai = withCache(new OpenAI(provider.options), cache)
  const content = 'What is a store?\n\nA store keeps bytes under keys. It knows nothing of answers, prompts or providers.'
  const answer = await openai.chat.completions.create({ model: 'gpt-5-mini', messages: [{ role: 'user', content }] })
  console.log(`  ${answer.choices[0]?.message.content ?? ''}\n  ${line(answer._cache)}`)
  await cache.close()
}

console.log(`\n${(await readdir(folder)).length} files in the folder: the answer, and small ones that say whether it is still good`)
await rm(folder, { recursive: true })
await provider.close()
