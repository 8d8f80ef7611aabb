/**
 * The commands that take entries out of a store and put them into another: `export` and `import`.
 * @module
 */
import { type FileHandle, open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { engineOf } from '../cache/cache.ts'
import { portableEntries, type PutEntry, putPortable } from '../cache/portable-entries.ts'
import type { Engine } from '../engine/engine.ts'
import { LlmemoError } from '../errors.ts'
import { countText } from '../monitor/words.ts'
import { filterOf, UsageError } from './arguments.ts'
import type { Run } from './command.ts'

/** The heads, and with `--body` the bodies, one JSON line each, as they are read. */
export async function exported({ cache, options, output }: Run): Promise<boolean> {
  for await (const entry of portableEntries(engineIn(cache), filterOf(options), options.body)) {
    await output.line(JSON.stringify(entry))
    output.seen('written')
  }
  return true
}

/** Entries that are put into the store before the next ones are read. */
const entriesAtATime = 100
/** Faults that are told one by one. */
const maxTold = 10

/** Puts the entries of a file, or of the standard input, into the store. */
export async function imported({ cache, operands, output, input }: Run): Promise<boolean> {
  const [path] = operands
  if (path === undefined) throw new UsageError('import needs a file that "export --body" wrote, or - for the standard input')
  const engine = engineIn(cache)
  const counts = { read: 0, imported: 0, expired: 0, refused: 0 }
  const faults: string[] = []
  let waiting: PutEntry[] = []
  const settle = async (): Promise<void> => {
    await cache.flush()
    for (const { outcome } of waiting) {
      if (outcome.stored) counts.imported++
      else {
        counts.refused++
        faults.push(`not stored: ${outcome.reason ?? 'store failed'}`)
      }
    }
    waiting = []
    faults.length = Math.min(faults.length, maxTold)
  }
  for await (const line of linesOf(path, input)) {
    output.seen('read')
    if (line.trim() === '') continue
    counts.read++
    try {
      const put = await putPortable(engine, parsed(line))
      if (put === undefined) counts.expired++
      else waiting.push(put)
    } catch (error) {
      if (!LlmemoError.isInstance(error)) throw error
      counts.refused++
      if (faults.length < maxTold) faults.push(`entry ${counts.read}: ${error.message.replace('llmemo: ', '')}`)
    }
    if (waiting.length === entriesAtATime) await settle()
  }
  await settle()
  const { read, imported: taken, expired, refused } = counts
  const lines = [
    `Imported ${countText(taken)} of ${countText(read)} entries.`,
    ...(expired > 0 ? [`${countText(expired)} had expired.`] : []),
    ...(refused > 0 ? [`${countText(refused)} were refused:`, ...faults.map((fault) => `  ${fault}`)] : []),
  ]
  await output.result({ ...counts, faults }, lines)
  return refused === 0
}

/** The lines of a file. @throws {UsageError} if it cannot be read */
async function* linesOf(path: string, input: NodeJS.ReadableStream | undefined): AsyncGenerator<string, undefined> {
  const isInput = path === '-' && input !== undefined
  const lines = isInput ? createInterface({ input, crlfDelay: Infinity }) : (await opened(path)).readLines({ encoding: 'utf8' })
  yield* lines
}

async function opened(path: string): Promise<FileHandle> {
  try {
    const handle = await open(path)
    if (!(await handle.stat()).isDirectory()) return handle
    await handle.close()
  } catch {
    // The error names the path, which may be an address that was typed in its place.
  }
  throw new UsageError('the file cannot be read')
}

/** Not the error of `JSON.parse`, which quotes the text. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function engineIn(cache: unknown): Engine {
  const engine = engineOf(cache)
  if (engine === undefined) throw new UsageError('the cache is none of this version')
  return engine
}
