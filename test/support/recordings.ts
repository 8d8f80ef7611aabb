/**
 * Answers and streams as the providers sent them. They are no part of the repository: where the folder is absent, tests over them skip.
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { ServerEvent } from '../../src/base/server-sent-events.ts'

/** One recorded answer: whole, streamed, or both. Where there are both, they answer one request and need not be the same. */
export interface Recording {
  readonly name: string
  /** The body of the answer that was not streamed. */
  readonly whole?: string
  /** The events of the one that was. */
  readonly events?: readonly ServerEvent[]
}

const given = process.env['LLMEMO_RECORDINGS']
const folder = given === undefined ? new URL('../../../shared/recordings/', import.meta.url) : new URL(`${pathToFileURL(given).href}/`)

/** Whether the recordings are there. Tests over them are to be skipped by `describe.skipIf(!recordingsFound)`. */
export const recordingsFound = existsSync(folder)

/** The recordings of one group, in order of name: `openai-chat`. None, with a warning, where the folder is absent. */
export function recordings(group: string): readonly Recording[] {
  if (!recordingsFound) {
    console.warn(
      `SKIPPED: every test over the recordings "${group}", as ${folder.pathname} is absent. Set LLMEMO_RECORDINGS to their folder.`,
    )
    return []
  }
  const files = readdirSync(new URL(`${group}/`, folder)).toSorted()
  const read = (file: string): string => readFileSync(new URL(`${group}/${file}`, folder), 'utf8')
  const names = new Set(files.map((file) => file.replace(/(?:\.stream\.jsonl|\.json)$/, '')))
  return [...names].map((name) => {
    const recording: { name: string; whole?: string; events?: ServerEvent[] } = { name }
    if (files.includes(`${name}.json`)) recording.whole = read(`${name}.json`)
    if (files.includes(`${name}.stream.jsonl`)) recording.events = eventsOf(group, read(`${name}.stream.jsonl`))
    return recording
  })
}

/** The lines of a stream in the framing of their provider. A damaged line stays one: its type is read without parsing it. */
function eventsOf(group: string, text: string): ServerEvent[] {
  const lines = text.split('\n').filter((line) => line !== '')
  const named = group === 'openai-responses' || group === 'anthropic-messages'
  const events = lines.map((data) => {
    const event = named ? /"type"\s*:\s*"([^"]+)"/.exec(data)?.[1] : undefined
    return event === undefined ? { data } : { event, data }
  })
  return group === 'openai-chat' || group === 'openai-completions' ? [...events, { data: '[DONE]' }] : events
}

/** Why a stream that makes no whole answer is not stored: an error in it, an end mark after events that make none, or no end mark. */
export function reasonOfUnreadable(events: readonly ServerEvent[]): 'error' | 'malformed' | 'incomplete' {
  const types = new Set(events.map(({ event, data }) => event ?? /"type": ?"([^"]+)"/.exec(data)?.[1]))
  if (types.has('error')) return 'error'
  return types.has('response.completed') || types.has('message_stop') ? 'malformed' : 'incomplete'
}
