/**
 * The program as each runtime starts it.
 * @module
 */

/** A module that a runtime with a command line runs. */
export const command = (url: string): string => `
import { behaviours } from './behaviours.ts'
console.log(JSON.stringify(await behaviours(${JSON.stringify(url)})))
process.exit()`

/** A module worker, whose cache is made in a request, as everything that does I/O there. */
export const worker = (url: string): string => `
import { behaviours } from './behaviours.ts'
export default { fetch: async () => Response.json(await behaviours(${JSON.stringify(url)})) }`

/** A script that listens to an event, as edge functions do. */
export const edgeFunction = (url: string): string => `
import { behaviours } from './behaviours.ts'
addEventListener('fetch', (event) => event.respondWith(behaviours(${JSON.stringify(url)}).then((report) => Response.json(report))))`

/** A worker that runs the checks of `llmemo/testing` over a store of the page's. */
export const conformance = (store: string): string => `
import { ManualClock, storeConformance } from 'llmemo/testing'
import { cacheApiStore } from './cache-api-store.ts'
import { kvStore } from './kv-store.ts'
export default {
  async fetch(request, environment) {
    const failed = []
    const setup = async () => {
      const clock = new ManualClock(Date.now())
      const now = () => clock.now()
      return { store: ${store}, advance: (milliseconds) => clock.advance(milliseconds) }
    }
    for (const { name, run } of storeConformance) await run(setup).catch((error) => failed.push(name + ': ' + error.stack))
    return Response.json({ passed: storeConformance.length - failed.length, failed })
  },
}`
