/**
 * What a run of the tests says of a mutation.
 * @module
 */

/** The part of Vitest's JSON report that is read. */
export interface Report {
  readonly testResults: readonly {
    /** What failed outside of a test, such as a file that cannot be loaded. */
    readonly message?: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages: readonly string[] | null
    }[]
  }[]
}

/** `killed` is what must be: a test of the id failed. `error` proves nothing, neither for the test nor against it. */
export interface Verdict {
  readonly outcome: 'killed' | 'survived' | 'error'
  readonly detail: string
}

/** What the verdict is about. */
export interface Tried {
  /** The ids of which a title must have one. */
  readonly ids: readonly string[]
  /** Whether a time-out counts. @default it proves nothing, as a busy machine may be the reason */
  readonly hangs?: boolean | undefined
}

/** Whether a report shows that a test of these ids failed, and by itself. */
export function verdict(report: Report, { ids, hangs = false }: Tried): Verdict {
  const tests = report.testResults.flatMap((file) => file.assertionResults)
  const isOfIds = (title: string): boolean => ids.some((id) => new RegExp(`\\b${id}\\b`).test(title))
  const ran = tests.filter(({ fullName, status }) => (status === 'passed' || status === 'failed') && isOfIds(fullName))
  const failed = ran.filter(({ status }) => status === 'failed')
  const inTime = failed.filter(({ failureMessages }) => failureMessages?.every((text) => !/(?:Test|Hook) timed out in/.test(text)))
  const killed = hangs ? failed : inTime
  if (killed.length > 0) return { outcome: 'killed', detail: `${killed.length} of ${ran.length} failed` }
  if (failed.length > 0) return { outcome: 'error', detail: 'only timed out' }
  const message = report.testResults.map((file) => file.message ?? '').find((text) => text !== '')
  if (message !== undefined) return { outcome: 'error', detail: message.split('\n')[0] ?? '' }
  if (ran.length === 0) return { outcome: 'error', detail: 'no test has such a title' }
  return { outcome: 'survived', detail: `${ran.length} of ${ran.length} passed` }
}
