import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatEvents, parseEvents, splitEvents } from '../../src/base/server-sent-events.ts'

describe('parseEvents', () => {
  // The examples of https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
  it.each([
    ['lines of data are joined by LF', 'data: YHOO\ndata: +2\ndata: 10\n\n', [{ data: 'YHOO\n+2\n10' }]],
    ['a comment is no event', ': test stream\n\ndata: first event\nid: 1\n\n', [{ data: 'first event' }]],
    [
      'only one space after the colon is cut off',
      'data:test\n\ndata: test\n\ndata:  third\n\n',
      [{ data: 'test' }, { data: 'test' }, { data: ' third' }],
    ],
    ['empty data is an event, also without a colon', 'data\n\ndata\ndata\n\ndata:', [{ data: '' }, { data: '\n' }, { data: '' }]],
  ])('follows the standard: %s', (_, text, events) => {
    expect(parseEvents(text)).toEqual(events)
  })

  it.each(['\n', '\r', '\r\n'])('ends lines by %j', (end) => {
    const text = ['event: add', 'data: 1', 'data: 2', '', 'data: 3', '', ''].join(end)
    expect(parseEvents(text)).toEqual([{ event: 'add', data: '1\n2' }, { data: '3' }])
  })

  it('drops one byte order mark at the start', () => {
    expect(parseEvents('\uFEFFdata: 1\n\n')).toEqual([{ data: '1' }])
  })

  it('does not confuse a field with a longer name that begins like it', () => {
    expect(parseEvents('dataset: 1\neventful: 2\ndata: 3\n\n')).toEqual([{ data: '3' }])
  })

  it('forgets the name of an event without data', () => {
    expect(parseEvents('event: ping\n\ndata: 1\n\n')).toEqual([{ data: '1' }])
  })

  it('delivers an event at the end without its blank line, as the SDKs do', () => {
    expect(parseEvents('data: 1\n\ndata: [DONE]')).toEqual([{ data: '1' }, { data: '[DONE]' }])
    expect(parseEvents('event: end\ndata: 2\n')).toEqual([{ event: 'end', data: '2' }])
  })

  it('finds no events in an empty text', () => {
    expect(parseEvents('')).toEqual([])
    expect(parseEvents('\n\n\n')).toEqual([])
  })
})

describe('formatEvents', () => {
  it('writes the same text as the providers', () => {
    expect(formatEvents([{ event: 'response.created', data: '{"a":1}' }, { data: '[DONE]' }])).toBe(
      'event: response.created\ndata: {"a":1}\n\ndata: [DONE]\n\n',
    )
  })

  it('never lets the name of an event become another field', () => {
    expect(parseEvents(formatEvents([{ event: 'a\ndata: b', data: 'c' }]))).toEqual([{ event: 'a data: b', data: 'c' }])
  })

  const line = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(/[\r\n]/g, ''))
  const event = fc.record(
    {
      event: line.filter((text) => text !== ''),
      data: fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.join('\n')),
    },
    { requiredKeys: ['data'] },
  )

  it('is undone by parseEvents', () => {
    fc.assert(
      fc.property(fc.array(event), (events) => {
        expect(parseEvents(formatEvents(events))).toEqual(events)
      }),
    )
  })

  it('is undone by parseEvents with every kind of line end', () => {
    fc.assert(
      fc.property(fc.array(event), fc.constantFrom('\r', '\r\n'), (events, end) => {
        expect(parseEvents(formatEvents(events).replaceAll('\n', end))).toEqual(events)
      }),
    )
  })
})

describe('splitEvents', () => {
  const events = fc.array(fc.record({ event: fc.string(), data: fc.string({ unit: fc.constantFrom('a', '\n', '\r', ' ', ':') }) }))

  it('gives each event the text that it would have alone', () => {
    fc.assert(
      fc.property(events, (given) => {
        expect(splitEvents(formatEvents(given))).toEqual(given.map((event) => formatEvents([event])))
      }),
    )
  })
})
