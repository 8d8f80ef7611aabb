/**
 * Loaded into the program before it starts: kills the process at a step of its work in SQLite, counted from the upstream's first answer. Each
 * statement is two steps, one before it and one after it. `DIES_AT` is the number of the step.
 */
import diagnostics from 'node:diagnostics_channel'
import { DatabaseSync, StatementSync } from 'node:sqlite'

const diesAt = Number(process.env['DIES_AT'])
let steps = Number.NEGATIVE_INFINITY

diagnostics.subscribe('http.client.response.finish', () => {
  if (steps < 0) steps = 0
})

function step(): void {
  if (++steps === diesAt) process.kill(process.pid, 'SIGKILL')
}

for (const [prototype, names] of [
  [DatabaseSync.prototype, ['exec']],
  [StatementSync.prototype, ['run', 'get', 'all']],
] as const) {
  for (const name of names) {
    const original: unknown = Reflect.get(prototype, name)
    if (typeof original !== 'function') throw new TypeError(`there is no ${name}`)
    Object.defineProperty(prototype, name, {
      value(...words: unknown[]): unknown {
        step()
        const result: unknown = Reflect.apply(original, this, words)
        step()
        return result
      },
    })
  }
}
