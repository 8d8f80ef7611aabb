import { describe, expect, it } from 'vitest'
import { codeOf, nameOf, systemReasonOf, withoutContent } from '../../src/base/foreign-error.ts'
import { StoreError } from '../../src/errors.ts'

/** As Node.js makes them. */
const refused = Object.assign(new Error('connect ECONNREFUSED redis://user:hunter2@127.0.0.1'), {
  code: 'ECONNREFUSED',
  syscall: 'connect',
  address: '127.0.0.1',
  port: 6379,
})

const lying = Object.assign(new Error('hunter2'), {
  name: 'hunter2 is the password',
  code: 'hunter2hunter2',
  syscall: 'hunter2',
  address: 'hunter2',
  port: 'hunter2',
})

describe('an error that is not ours', () => {
  it.each<[error: unknown, name: string, code: string, reason: string]>([
    [refused, 'Error', 'ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:6379'],
    [new TypeError('hunter2'), 'TypeError', '', ''],
    [Object.assign(new Error('hunter2'), { code: 'SQLITE_BUSY' }), 'Error', 'SQLITE_BUSY', 'SQLITE_BUSY'],
    [Object.assign(new Error('hunter2'), { code: 'ERR_HTTP2_STREAM_ERROR' }), 'Error', 'ERR_HTTP2_STREAM_ERROR', 'ERR_HTTP2_STREAM_ERROR'],
    [{ name: 'ProvisionedThroughputExceededException' }, 'ProvisionedThroughputExceededException', '', ''],
    [lying, 'Error', '', ''],
    ['hunter2', 'string', '', ''],
    [undefined, 'undefined', '', ''],
    [null, 'object', '', ''],
  ])('I7 shows its name and what the system says, in their known forms: %o', (error, name, code, reason) => {
    expect([nameOf(error), codeOf(error), systemReasonOf(error)]).toEqual([name, code, reason])
    const cause = withoutContent(error)
    expect(cause.message).toBe(reason || name)
    expect(Object.getOwnPropertyNames(cause).toSorted()).toEqual([...(code === '' ? [] : ['code']), 'message', 'name', 'stack'])
    expect(`${cause.stack} ${JSON.stringify(cause)}`).not.toContain('hunter2')
  })

  it('is kept when it is one of ours, with its message', () => {
    const ours = new StoreError('the store is closed.')
    expect(withoutContent(ours)).toBe(ours)
  })
})
