import { describe, expect, it, vi } from 'vitest'
import { InvalidOptionError } from '../src/errors.ts'
import { EventEmitter } from '../src/events.ts'
import { eventNames } from './support/chat.ts'

const miss = {
  key: 'key',
  provider: 'openai',
  endpoint: 'chat.completions',
  model: 'm',
  operation: 'chat',
  scope: '',
  streamed: false,
  inputs: 1,
  characters: 5,
}

function open() {
  const failed = vi.fn<(error: unknown) => void>()
  return { events: new EventEmitter(failed), failed }
}

/** Calls `events.on` without types, as JavaScript can. */
function untypedOn(events: EventEmitter, ...given: readonly unknown[]): unknown {
  const on: unknown = Reflect.get(events, 'on')
  return typeof on === 'function' ? Reflect.apply(on, events, given) : undefined
}

describe('EventEmitter', () => {
  it('calls every listener of the event in order of registration, and no other listener', () => {
    const { events, failed } = open()
    const told: unknown[] = []
    events.on('miss', (event) => told.push(['first', event]))
    events.on('miss', (event) => told.push(['second', event]))
    events.on('drop', (event) => told.push(['drop', event]))
    events.emit('miss', miss)
    expect(told).toEqual([
      ['first', miss],
      ['second', miss],
    ])
    expect(failed).not.toHaveBeenCalled()
  })

  it('does nothing without listeners', () => {
    const { events, failed } = open()
    for (const name of eventNames) events.on(name, () => {})()
    events.emit('miss', miss)
    expect(failed).not.toHaveBeenCalled()
  })

  it('removes one registration only, even if a listener was given twice', () => {
    const { events } = open()
    const listener = vi.fn<() => void>()
    const end = events.on('miss', listener)
    events.on('miss', listener)
    events.emit('miss', miss)
    expect(listener).toHaveBeenCalledTimes(2)
    end()
    end()
    events.emit('miss', miss)
    expect(listener).toHaveBeenCalledTimes(3)
  })

  it('protects the cache and other listeners from a listener that throws', () => {
    const { events, failed } = open()
    const error = new Error('mine')
    const after = vi.fn<() => void>()
    events.on('miss', () => {
      throw error
    })
    events.on('miss', after)
    events.emit('miss', miss)
    expect(after).toHaveBeenCalledOnce()
    expect(failed.mock.calls).toEqual([[error]])
  })

  it('I4 handles every rejection of a listener, whatever kind of promise it returns', async () => {
    const { events, failed } = open()
    const unhandled = vi.fn<() => void>()
    process.on('unhandledRejection', unhandled)
    try {
      events.on('miss', async () => {
        throw new Error('a promise')
      })
      // oxlint-disable-next-line unicorn/no-thenable -- a promise of a library, not of the language
      events.on('miss', () => ({ then: (_: unknown, reject: (error: Error) => void) => reject(new Error('a thenable')) }))
      // oxlint-disable-next-line unicorn/no-thenable -- looks like a promise, and fails when its `then` is called
      events.on('miss', () => Object.defineProperty({}, 'then', { get: () => expect.fail('a getter') }))
      events.on('miss', async () => 'fine')
      events.emit('miss', miss)
      await new Promise((resolve) => setImmediate(resolve))
    } finally {
      process.off('unhandledRejection', unhandled)
    }
    expect(failed.mock.calls.map(([error]) => String(error)).toSorted()).toEqual([
      'AssertionError: a getter',
      'Error: a promise',
      'Error: a thenable',
    ])
    expect(unhandled).not.toHaveBeenCalled()
  })

  it('calls only the listeners that were registered when the event came', () => {
    const { events } = open()
    const told: string[] = []
    const again = () => {
      told.push('first')
      events.on('miss', again)
      end()
    }
    events.on('miss', again)
    const end = events.on('miss', () => told.push('second'))
    events.emit('miss', miss)
    expect(told).toEqual(['first', 'second'])
    events.emit('miss', miss)
    expect(told).toEqual(['first', 'second', 'first', 'first'])
  })

  it.each(['', 'hitz', 'Hit', '__proto__', 'constructor', 'toString'])(
    'refuses %o, which is no event, and names those there are',
    (name) => {
      const { events } = open()
      const refused = () => untypedOn(events, name, () => {})
      expect(refused).toThrow(InvalidOptionError)
      for (const known of eventNames) expect(refused).toThrow(known)
    },
  )

  it.each([undefined, null, 'log', {}])('refuses %o as a listener, at once', (listener) => {
    const { events } = open()
    expect(() => untypedOn(events, 'miss', listener)).toThrow(/option "listener"/)
  })
})
