/**
 * Why a call has no recording, as the text of an error that a developer reads in the output of a test.
 * @module
 */
import { isJsonObject } from '../../json/object.ts'
import { reasonAgainst, unrecorded } from './damage.ts'
import type { RecordedCall } from '../../key/recordings.ts'
import { readableCall } from './cassette.ts'
import type { CassetteFolder } from './folder.ts'
import { type Asked, nearestOf } from './nearest.ts'

/** Where to look, and what not to show. */
interface Looking {
  readonly files: CassetteFolder
  readonly scrub: (text: string) => string
  /** How the last read of a recording failed, by the key of its call. */
  readonly failures: ReadonlyMap<string, unknown>
}

const howTo = 'To record it, run the test with LLMEMO_MODE=auto; to record everything again, with LLMEMO_MODE=record.'

/** The message for the first of these calls that has no recording. */
export function explainMiss(calls: readonly RecordedCall[], { files, scrub, failures }: Looking): string {
  const failure = new Map(calls.map((call) => [call, reasonAgainst(files, call.key, failures.get(call.key))]))
  const call = calls.find((each) => failure.get(each) !== undefined) ?? calls[0]
  const reason = call && failure.get(call)
  const beginning = `llmemo: mode "replay" calls no provider, and ${reason ?? 'the recording does not serve this call'}`
  if (call === undefined || reason === undefined || reason !== unrecorded) return `${beginning} (folder ${files.path}). ${howTo}`
  const asked = readableCall(call, { scrub, beside: (_, digest) => `.${digest}.bin` })
  const nearest = nearestOf(asked, cassettesIn(files))
  const { provider, endpoint, operation } = asked.call
  const what = `${String(provider)} ${String(endpoint)}, operation "${String(operation)}"`
  if (nearest === undefined) return `${beginning}: ${what}. The folder ${files.path} holds no cassette. ${howTo}`
  return [
    `${beginning}: ${what}. The nearest is ${nearest.name} in ${files.path}, which differs first at ${nearest.path}:`,
    `  recorded: ${shown(nearest.recorded)}`,
    `  asked:    ${shown(nearest.asked)}`,
    howTo,
  ].join('\n')
}

function shown(text: string | undefined): string {
  return text === undefined ? 'nothing' : JSON.stringify(text)
}

function* cassettesIn(files: CassetteFolder): Generator<readonly [string, Asked]> {
  for (const name of files.names()) {
    const cassette = files.load(name)
    if (cassette !== undefined && isJsonObject(cassette.call)) yield [name, cassette]
  }
}
