/**
 * A provider that answers at once, from memory, through `fetch`.
 * @module
 */

/** A stand-in for the provider. */
export interface Origin {
  readonly fetch: typeof globalThis.fetch
  /** How often it was asked. */
  readonly calls: () => number
}

/** What an origin answers: whole answers and streams. */
export interface Answers {
  /** JSON. */
  readonly whole: string
  /** Server-sent events. @default none */
  readonly events?: string
  /** Milliseconds that the next answer takes. @default 0, without even a timer */
  readonly latency?: () => number
}

/** An origin with a fresh `Response` for each call: the events for one who asks for a stream, else the JSON. */
export function originOf({ whole, events = '', latency = () => 0 }: Answers): Origin {
  let calls = 0
  const respond = (body: unknown): Response => {
    calls++
    // The cheapest test that is right for what is asked here: no text of a question says this.
    const streamed = typeof body === 'string' && events !== '' && body.includes('"stream":true')
    const headers = { 'content-type': streamed ? 'text/event-stream; charset=utf-8' : 'application/json', 'x-request-id': 'req_bench' }
    return new Response(streamed ? events : whole, { headers })
  }
  return {
    calls: () => calls,
    async fetch(_, init) {
      const milliseconds = latency()
      if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds))
      return respond(init?.body)
    },
  }
}
