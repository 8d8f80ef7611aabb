/**
 * A program: `node run.ts <file of the places> <folder of the project> <file of the report>`. Runs every case, and writes what ran and what leaked.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { Coverage } from './coverage.ts'
import type { Site } from './sites.ts'

const [, , sitesFile = '', top = '', reportFile = ''] = process.argv
// The test wrote it, in this form.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const sites = JSON.parse(readFileSync(sitesFile, 'utf8')) as Site[]

const rejected: unknown[] = []
process.on('unhandledRejection', (error) => rejected.push(error))

const coverage = new Coverage()
await coverage.start()
const { Issuer } = await import('./issuer.ts')
const { tracesIn } = await import('./marker.ts')
const { cases } = await import('./cases.ts')

const report = []
for (const [file, all] of cases) {
  for (const { name, run } of all) {
    const issuer = new Issuer()
    await coverage.reached([], top)
    let failure = ''
    try {
      await run(issuer)
      issuer.end()
    } catch (error) {
      failure = error instanceof Error ? String(error.stack) : String(error)
    }
    const reached = await coverage.reached(sites, top)
    const leaks = issuer.issued.flatMap(({ what, value }) => tracesIn(value).map((where) => `${what}: ${where}`))
    report.push({ file, name, failure, issued: issuer.issued.length, reached: reached.map(({ shown }) => shown), leaks })
  }
}
writeFileSync(reportFile, JSON.stringify({ report, rejected: rejected.map(String) }))
process.exit(0)
