/** An event as a client reads it. */
export interface ReadEvent {
  readonly event: string
  readonly id: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Reads a stream of events one by one. */
export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #decoder = new TextDecoder()
  #text = ''

  constructor({ body }: Response) {
    if (body === null) throw new TypeError('the answer has no body')
    this.#reader = body.getReader()
  }

  /** The next block of the stream; `undefined` at its end. */
  async block(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n\n')
      if (end !== -1) {
        const block = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        return block
      }
      const { done, value } = await this.#reader.read()
      if (done) return undefined
      this.#text += this.#decoder.decode(value, { stream: true })
    }
  }

  /** The next event; `undefined` at the end of the stream. */
  async next(): Promise<ReadEvent | undefined> {
    for (let block = await this.block(); block !== undefined; block = await this.block()) {
      const event = eventIn(block)
      if (event !== undefined) return event
    }
    return undefined
  }

  cancel(): Promise<void> {
    return this.#reader.cancel()
  }
}

/** The event in a block; `undefined` in a comment. */
export function eventIn(block: string): ReadEvent | undefined {
  const lines = new Map(block.split('\n').map((line) => [line.split(':', 1)[0] ?? '', line.slice(line.indexOf(':') + 2)]))
  const data = lines.get('data')
  return data === undefined ? undefined : { event: lines.get('event') ?? '', id: lines.get('id') ?? '', data: JSON.parse(data) }
}
