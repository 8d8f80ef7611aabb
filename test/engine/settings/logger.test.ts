import { describe, expect, it } from 'vitest'
import { guardedLogger, type Logger } from '../../../src/engine/settings/logger.ts'

/** What the type forbids and JavaScript does not: a logger that is asynchronous. */
const rejects: () => unknown = () => Promise.reject(new Error('oops'))

describe('guardedLogger', () => {
  it('passes lines on as they are, to the logger itself', () => {
    const lines: string[] = []
    const logger = {
      prefix: '> ',
      warn(line: string) {
        lines.push(`${this.prefix}${line}`)
      },
      info: (line: string) => void lines.push(line),
    }
    const guarded = guardedLogger(logger, () => expect.unreachable('nothing fails'))
    guarded.warn('one')
    guarded.info('two')
    expect(lines).toEqual(['> one', 'two'])
  })

  it('has nothing to say where there is none', () => {
    const guarded = guardedLogger(undefined, () => expect.unreachable('nothing fails'))
    expect(guarded.warn('one')).toBeUndefined()
  })

  it('P06 lets nothing of a logger out that throws or promises', async () => {
    let failed = 0
    const broken: Logger = { warn: () => expect.unreachable('this logger throws'), info: rejects }
    const guarded = guardedLogger(broken, () => failed++)
    guarded.warn('one')
    guarded.info('two')
    await Promise.resolve()
    expect(failed).toBe(2)
  })
})
