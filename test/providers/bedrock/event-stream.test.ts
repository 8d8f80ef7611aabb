import { EventStreamCodec } from '@smithy/eventstream-codec'
import { describe, expect, it } from 'vitest'
import { readMessages, writeMessage } from '../../../src/providers/bedrock/event-stream.ts'

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(Object(bytes)).toString(),
  (text) => Buffer.from(text),
)
const headers = { ':event-type': 'chunk', ':message-type': 'event', 'a-name': 'Grüße' }
const payload = new TextEncoder().encode('{"bytes":"YQ=="}')

describe('a message in AWS’s framing', () => {
  it('is written as the AWS SDK reads it', () => {
    const read = codec.decode(writeMessage({ headers, payload }))
    expect(Object.entries(read.headers).map(([name, { value }]) => [name, value])).toEqual(Object.entries(headers))
    expect(Buffer.from(read.body).toString()).toBe(Buffer.from(payload).toString())
  })

  it('is read as the AWS SDK writes it, headers of any type included', () => {
    const encoded = codec.encode({
      headers: {
        ':event-type': { type: 'string', value: 'chunk' },
        yes: { type: 'boolean', value: true },
        four: { type: 'integer', value: 4 },
        raw: { type: 'binary', value: Uint8Array.of(1) },
      },
      body: payload,
    })
    const read = readMessages(Buffer.concat([encoded, encoded]))
    expect(read?.map((message) => message.headers)).toEqual([{ ':event-type': 'chunk' }, { ':event-type': 'chunk' }])
    expect(Buffer.from(read?.[1]?.payload ?? []).toString()).toBe(Buffer.from(payload).toString())
  })

  it('S04: that is cut off is left out, wherever it is cut', () => {
    const one = writeMessage({ headers, payload })
    for (let length = 0; length < one.byteLength; length++) {
      expect(readMessages(Buffer.concat([one, one.subarray(0, length)]))).toHaveLength(1)
    }
  })

  it('that is damaged anywhere makes the stream none', () => {
    const one = writeMessage({ headers, payload })
    for (let at = 0; at < one.byteLength; at++) {
      const damaged = Uint8Array.from(one)
      damaged[at] = (damaged[at] ?? 0) ^ 1
      expect(readMessages(damaged) ?? []).toHaveLength(0)
    }
  })
})
