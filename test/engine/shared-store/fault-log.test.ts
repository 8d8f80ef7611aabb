import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../src/errors.ts'
import { FaultLog, reasonOf } from '../../../src/engine/shared-store/fault-log.ts'
import { openCache } from '../../support/chat.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

function setup() {
  const lines: string[] = []
  const log = new FaultLog('own', { warn: (line) => lines.push(line), info: (line) => lines.push(line) }, 5)
  return { lines, log }
}

const refused = Object.assign(new Error('connect ECONNREFUSED with hunter2'), {
  code: 'ECONNREFUSED',
  syscall: 'connect',
  address: '127.0.0.1',
  port: 6379,
})

describe('the log of a store', () => {
  it('G47 has one line at the first fault, with its reason, and none for the next', () => {
    const { lines, log } = setup()
    for (let fault = 0; fault < 4; fault++) log.fault('read', refused)
    log.changed('read', false)
    for (let fault = 0; fault < 100; fault++) log.fault('read', refused)
    expect(lines).toEqual([
      'llmemo: the store "own" is not answering (Error, connect ECONNREFUSED 127.0.0.1:6379); calls go on without it.',
    ])
  })

  it('G47 has a line for each side', () => {
    const { lines, log } = setup()
    log.fault('read', new StoreError('the table is missing.'))
    log.fault('write', new StoreError('the table is full.'))
    expect(lines).toEqual([
      'llmemo: the store "own" is not answering (the table is missing); calls go on without it.',
      'llmemo: the store "own" is not taking writes (the table is full); calls go on without it.',
    ])
  })

  it('G47 tells of an outage that comes after a single fault, and of its end', () => {
    const { lines, log } = setup()
    log.fault('read', refused)
    // The store worked again in between.
    for (let fault = 0; fault < 4; fault++) log.fault('read', new StoreError('it is gone.'))
    log.changed('read', false)
    log.changed('read', true)
    log.fault('read', refused)
    expect(lines.slice(1)).toEqual([
      'llmemo: the store "own" is not answering (it is gone); calls go on without it.',
      'llmemo: the store "own" is answering again.',
      expect.stringContaining('ECONNREFUSED'),
    ])
  })

  it('G47 leaves the reason to the store, if the store has said what to do', () => {
    const { lines, log } = setup()
    const error = new StoreError('the table is missing.')
    log.report('create the table', error)
    for (let fault = 0; fault < 4; fault++) log.fault('read', error)
    expect(lines).toEqual(['llmemo: create the table'])
    log.changed('read', false)
    expect(lines.slice(1)).toEqual(['llmemo: the store "own" is not answering; calls go on without it.'])
  })

  it.each<[error: unknown, reason: string]>([
    [new StoreError('it is closed.'), 'it is closed'],
    [refused, 'Error, connect ECONNREFUSED 127.0.0.1:6379'],
    [new TypeError('hunter2'), 'TypeError'],
    [Object.assign(new Error('hunter2'), { code: 'hunter2 is no code', syscall: 'hunter2' }), 'Error'],
    ['hunter2', 'string'],
    [undefined, 'undefined'],
    [null, 'object'],
  ])('I7 G47 shows of an error that is not ours only what no caller can have given: %s', (error, reason) => {
    expect(reasonOf(error)).toBe(reason)
  })
})

describe('a cache whose store cannot work', () => {
  it('G47 says so at its first call', async () => {
    const store = new ScriptedStore()
    store.reads = 'rejects'
    const { cache, told } = openCache({ store })
    await cache.get('key')
    expect(told.lines).toEqual(['llmemo: the store "scripted" is not answering (Error); calls go on without it.'])
  })
})
