/**
 * Server-sent events: text to events and back.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 * @module
 */

/** One server-sent event. */
export interface ServerEvent {
  /** The event's name, when it has one. */
  readonly event?: string
  readonly data: string
}

const byteOrderMark = 0xfeff

/**
 * The events of a whole stream. Comments, ids and retry times are left out, as no provider's protocol uses them.
 * An event at the end of the text counts even without the blank line that ends it: the standard drops it, but the providers' SDKs
 * deliver it, as servers leave that line out.
 */
export function parseEvents(text: string): ServerEvent[] {
  // A slice per line is the whole cost of a usual stream; line ends other than LF are rare enough to be rewritten first.
  const lines = text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text
  const events: ServerEvent[] = []
  let event = ''
  let data: string | undefined
  let at = lines.charCodeAt(0) === byteOrderMark ? 1 : 0
  while (at < lines.length) {
    let end = lines.indexOf('\n', at)
    if (end === -1) end = lines.length
    if (end === at) {
      if (data !== undefined) events.push(event === '' ? { data } : { event, data })
      event = ''
      data = undefined
    } else if (isField(lines, 'data', at, end)) {
      const value = valueOf(lines, at + 4, end)
      data = data === undefined ? value : `${data}\n${value}`
    } else if (isField(lines, 'event', at, end)) {
      event = valueOf(lines, at + 5, end)
    }
    at = end + 1
  }
  if (data !== undefined) events.push(event === '' ? { data } : { event, data })
  return events
}

/** The text of a stream of these events. A line end within an event's data, of any kind, is read back as LF. */
export function formatEvents(events: readonly ServerEvent[]): string {
  let text = ''
  for (const { event, data } of events) {
    // A name cannot span lines; left as it is, the rest of it would be read as another field.
    if (event !== undefined && event !== '') text += `event: ${event.replaceAll(/[\r\n]+/g, ' ')}\n`
    text += `data: ${/[\r\n]/.test(data) ? data.replaceAll(/\r\n|\r|\n/g, '\ndata: ') : data}\n\n`
  }
  return text
}

/** The texts of single events in what {@link formatEvents} wrote: no event holds an empty line. */
export function splitEvents(text: string): string[] {
  const texts: string[] = []
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n\n', at)
    const next = end === -1 ? text.length : end + 2
    texts.push(text.slice(at, next))
    at = next
  }
  return texts
}

/** Whether the line from `at` to `end` is the field `name`, with or without a value. */
function isField(lines: string, name: string, at: number, end: number): boolean {
  const after = at + name.length
  return lines.startsWith(name, at) && (after === end || lines[after] === ':')
}

/** The value of a field whose name ends at `at`: what follows the colon, less one leading space. */
function valueOf(lines: string, at: number, end: number): string {
  const start = lines[at + 1] === ' ' && at + 1 < end ? at + 2 : at + 1
  return start < end ? lines.slice(start, end) : ''
}
