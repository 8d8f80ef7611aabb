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

/** Whether a report shows that the tests whose titles have one of these ids failed, and by themselves. */
export function verdict(report: Report, ...ids: readonly string[]): Verdict {
  const tests = report.testResults.flatMap((file) => file.assertionResults)
  const ran = tests.filter(
    ({ fullName, status }) => (status === 'passed' || status === 'failed') && ids.some((id) => new RegExp(`\\b${id}\\b`).test(fullName)),
  )
  const failed = ran.filter(({ status }) => status === 'failed')
  const inTime = failed.filter(({ failureMessages }) => failureMessages?.every((text) => !/(?:Test|Hook) timed out in/.test(text)))
  if (inTime.length > 0) return { outcome: 'killed', detail: `${inTime.length} of ${ran.length} failed` }
  if (failed.length > 0) return { outcome: 'error', detail: 'only timed out' }
  const message = report.testResults.map((file) => file.message ?? '').find((text) => text !== '')
  if (message !== undefined) return { outcome: 'error', detail: message.split('\n')[0] ?? '' }
  if (ran.length === 0) return { outcome: 'error', detail: 'no test has such a title' }
  return { outcome: 'survived', detail: `${ran.length} of ${ran.length} passed` }
}
