/**
 * Which places of the source ran. Node.js runs the source as it is, with its types blanked out, so that V8 counts at the offsets of the text.
 * @module
 */
import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { pathToFileURL } from 'node:url'
import type { Site } from './sites.ts'

/** Flags of Node.js, as code that V8 has optimised does not count its calls. */
export const countingFlags = ['--no-opt', '--no-maglev']

/** Counts what runs from its start on. It must start before the source is loaded. */
export class Coverage {
  readonly #session = new Session()

  async start(): Promise<void> {
    this.#session.connect()
    await this.#session.post('Profiler.enable')
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** Those of `sites` that ran since this was asked last. @param top the folder that the files' paths begin in */
  async reached(sites: readonly Site[], top: string): Promise<Site[]> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage')
    // A case may load a module a second time, as a script of its own, by an address with a query.
    const scripts = Map.groupBy(result, ({ url }) => url.replace(/\?.*$/, ''))
    return sites.filter(({ file, offset }) => {
      const ofFile = scripts.get(pathToFileURL(`${top}/${file}`).href) ?? []
      return ofFile.some(({ functions }) => hasRun(functions, offset))
    })
  }
}

/** Whether the innermost range around a place was counted. */
function hasRun(functions: readonly Profiler.FunctionCoverage[], offset: number): boolean {
  const around = functions
    .flatMap(({ ranges }) => ranges)
    .filter(({ startOffset, endOffset }) => startOffset <= offset && offset < endOffset)
    .toSorted((a, b) => a.endOffset - a.startOffset - (b.endOffset - b.startOffset))
  return (around[0]?.count ?? 0) > 0
}
