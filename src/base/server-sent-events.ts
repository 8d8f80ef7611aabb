/**
 * Server-sent events: from text to events and back.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 * @module
 */

/** One server-sent event. */
export interface ServerEvent {
  /** The event's name, if it has one. */
  readonly event?: string
  readonly data: string
}

const byteOrderMark = 0xfeff

/**
 * The events of a whole stream. Comments, ids and retry times are left out, because no provider's protocol uses them.
 * An event at the end of the text counts even without the blank line after it. The standard drops such an event. But some servers leave the
 * line out, and the providers' SDKs deliver the event.
 */
export function parseEvents(text: string): ServerEvent[] {
  // For speed, the loop costs one slice a line. It knows only LF; the rarer line ends are replaced first.
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
    } else if (lines.startsWith('data', at) && endsName(lines, at + 4, end)) {
      const value = valueOf(lines, at + 4, end)
      data = data === undefined ? value : `${data}\n${value}`
    } else if (lines.startsWith('event', at) && endsName(lines, at + 5, end)) {
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
    // A name must stay on one line: the rest of it would be read as another field.
    if (event !== undefined && event !== '') text += `event: ${event.replaceAll(/[\r\n]+/g, ' ')}\n`
    text += `data: ${/[\r\n]/.test(data) ? data.replaceAll(/\r\n|\r|\n/g, '\ndata: ') : data}\n\n`
  }
  return text
}

/** The text of each single event in the output of {@link formatEvents}. No event holds an empty line. */
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

/** Whether a field's name ends at `at`, in a line that ends at `end`: a longer name may begin with the same letters. */
function endsName(lines: string, at: number, end: number): boolean {
  return at === end || lines[at] === ':'
}

/** The value of a field whose name ends at `at`: the text after the colon, without one leading space. */
function valueOf(lines: string, at: number, end: number): string {
  const start = lines[at + 1] === ' ' && at + 1 < end ? at + 2 : at + 1
  return start < end ? lines.slice(start, end) : ''
}
