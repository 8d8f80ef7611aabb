import { describe, expect, it, vi } from 'vitest'
import {
  DeadlineError,
  EntryError,
  InvalidOptionError,
  LlmemoError,
  NotKeyableError,
  StoreError,
  UnknownClientError,
} from '../src/errors.ts'

const cause = new Error('beneath')
const every = [
  ['InvalidOptionError', 'INVALID_OPTION', new InvalidOptionError('ttl', -1, 'a duration')],
  ['NotKeyableError', 'NOT_KEYABLE', new NotKeyableError('messages[0]', 'a Map', { cause })],
  ['EntryError', 'DAMAGED_ENTRY', new EntryError('DAMAGED_ENTRY', 'the checksum is wrong', { cause })],
  ['EntryError', 'NOT_RECOGNISED', new EntryError('NOT_RECOGNISED', 'no entry of ours', { cause })],
  ['StoreError', 'STORE_FAILED', new StoreError('the store failed', { cause })],
  ['DeadlineError', 'DEADLINE', new DeadlineError('reading the store', 100)],
  ['UnknownClientError', 'UNKNOWN_CLIENT', new UnknownClientError({})],
] as const

describe('errors', () => {
  it.each(every)('%s with code %s is an Error with that name, whose message begins with llmemo', (name, code, error) => {
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe(name)
    expect(error.code).toBe(code)
    expect(error.message).toMatch(/^llmemo: /)
    expect(String(error)).toBe(`${name}: ${error.message}`)
    expect(LlmemoError.isInstance(error)).toBe(true)
  })

  it.each(every.filter(([, , error]) => 'cause' in error))('%s with code %s keeps the underlying error', (_name, _code, error) => {
    expect(error.cause).toBe(cause)
  })

  it('has no cause when none was given', () => {
    expect(Object.hasOwn(new StoreError('failed'), 'cause')).toBe(false)
    expect(Object.hasOwn(new NotKeyableError('', 'a Map'), 'cause')).toBe(false)
  })

  it('is recognised by another copy of the package, which has other classes', async () => {
    vi.resetModules()
    const copy = await import('../src/errors.ts')
    const theirs = new copy.StoreError('the store failed')
    expect(theirs).not.toBeInstanceOf(LlmemoError)
    expect(LlmemoError.isInstance(theirs)).toBe(true)
    expect(copy.LlmemoError.isInstance(new DeadlineError('reading', 1))).toBe(true)
    expect(copy.LlmemoError.isInstance(new UnknownClientError(1))).toBe(true)
  })

  it.each([undefined, null, 1, 'llmemo', {}, [], new Error('llmemo: x'), Object.assign(new Error('x'), { code: 'STORE_FAILED' })])(
    'does not take %o for one of ours',
    (other) => {
      expect(LlmemoError.isInstance(other)).toBe(false)
    },
  )

  it('hides its mark when it is listed or printed', () => {
    expect(Object.keys(new StoreError('failed')).toSorted()).toEqual(['code', 'name'])
    expect(JSON.parse(JSON.stringify(new InvalidOptionError('ttl', 0, 'a duration')))).toEqual({
      name: 'InvalidOptionError',
      code: 'INVALID_OPTION',
    })
  })

  it('says what is wrong and what may be given instead', () => {
    expect(new InvalidOptionError('ttl.qa', '5 parsecs', "a duration such as '10m'").message).toBe(
      `llmemo: option "ttl.qa" is a string of 9 characters; allowed is a duration such as '10m'.`,
    )
    expect(new UnknownClientError(undefined).message).toMatch(/OpenAI.+cachingFetch\(cache\).+cache first, then instrument/)
    expect(new NotKeyableError('context', 'a bigint').message).toMatch(/^llmemo: context is a bigint/)
    expect(new NotKeyableError('', 'a bigint').message).toMatch(/^llmemo: the value is a bigint/)
    expect(new DeadlineError('reading the store', 100).message).toContain('100 ms')
  })

  it('the error for an unknown client is also a TypeError', () => {
    expect(new UnknownClientError({})).toBeInstanceOf(TypeError)
  })

  class Client {
    readonly apiKey = 'sk-secret'
  }

  it.each<[given: unknown, shown: string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    ['', 'an empty string'],
    ['secret', 'a string of 6 characters'],
    ['secret'.repeat(10), 'a string of 60 characters'],
    [Number.NaN, 'NaN'],
    [1n, '1'],
    [true, 'true'],
    [() => 'secret', 'a function'],
    [Symbol('secret'), 'a symbol'],
    [['secret'], 'an array of 1'],
    [{ secret: 1 }, 'an object'],
    [Object.create(null), 'an object'],
    [new Client(), 'an instance of Client'],
    [new Map([['secret', 1]]), 'an instance of Map'],
    [new Uint8Array(32), 'an instance of Uint8Array'],
  ])('I7 G52 shows of a value its kind, and never a text: %o', (given, shown) => {
    for (const { message } of [new InvalidOptionError('x', given, 'another'), new UnknownClientError(given)]) {
      expect(message).toContain(shown)
      expect(message).not.toContain('secret')
    }
  })

  it('G52 shows a text only for an option whose values are names, with the name that was probably meant', () => {
    expect(new InvalidOptionError('mode', 'relaod', ['default', 'reload']).message).toBe(
      'llmemo: option "mode" is "relaod"; allowed is one of default, reload. Did you mean "reload"?',
    )
    expect(new InvalidOptionError('mode', 'x', ['default', 'reload']).message).toBe(
      'llmemo: option "mode" is "x"; allowed is one of default, reload.',
    )
    expect(new InvalidOptionError('mode', 'secret'.repeat(7), ['default', 'reload']).message).not.toContain('secret')
    expect(new InvalidOptionError('provider', 'sk-live-51Hx9', ['openai']).message).toBe(
      'llmemo: option "provider" is a string of 13 characters; allowed is one of openai.',
    )
    expect(new InvalidOptionError('mode', 'Tell me a story', ['default']).message).not.toContain('story')
    expect(new InvalidOptionError('mode', { secret: 'secret' }, ['default']).message).not.toContain('secret')
  })

  it.each([
    ['ttl.summarize', 'option "ttl.summarize" is'],
    ['prices[2].cacheRead', 'option "prices[2].cacheRead" is'],
    ['encryption.keys.2026', 'option "encryption.keys.2026" is'],
    ['ttl.sk-live-51Hx9', 'option "ttl.…", whose name has 17 characters, is'],
    ['encryption.keys.correct horse battery', 'option "encryption.keys.…", whose name has 37 characters, is'],
    ['AKIA1234567890', 'option "…", whose name has 14 characters, is'],
  ])('I7 G52 shows of the name of an option what its user cannot have meant as a secret: %s', (option, shown) => {
    expect(new InvalidOptionError(option, 1, 'another').message).toContain(shown)
  })

  it('I7 does not show a long name of an option, because it may be anything', () => {
    const { message } = new InvalidOptionError(`cache.${'the whole prompt '.repeat(10)}`, 1, 'one of the options')
    expect(message).not.toContain('prompt')
    expect(message).toContain('176 characters')
  })
})
