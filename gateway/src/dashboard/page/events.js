/** Follows the stream of events. Not by EventSource, which cannot send a key. */
import { headers } from './ask.js'

const patience = 2_000

/**
 * Reads events until the page goes away, and comes back after each end.
 * @param told called with the name and the data of each event
 * @param state called with `live` and `lost`
 */
export async function follow(told, state) {
  let lastId
  for (;;) {
    try {
      const response = await fetch('/events', { headers: { ...headers(), ...(lastId !== undefined && { 'last-event-id': lastId }) } })
      if (response.status === 401 || response.status === 403) return state('lost')
      if (response.ok) {
        state('live')
        for await (const block of blocks(response.body)) {
          const fields = Object.fromEntries(
            block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
          )
          lastId = fields.id ?? lastId
          if (fields.event !== undefined) told(fields.event, JSON.parse(fields.data))
        }
      }
    } catch {
      // The gateway went away. It is asked again.
    }
    state('lost')
    await new Promise((resolve) => setTimeout(resolve, patience))
  }
}

async function* blocks(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const parts = (text + next.value).split('\n\n')
    text = parts.pop()
    yield* parts
  }
}
