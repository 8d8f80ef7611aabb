/**
 * The JSON that a request holds, within the limits.
 * @module
 */
import type { Context } from 'hono'
import { Refused } from '../access/refused.ts'
import type { GatewaySettings } from '../config/settings.ts'
import type { GatewayEnv } from '../context.ts'

/** The JSON of a body. @throws {Refused} if it is none, too large, or nested too deeply */
export async function readJson(c: Context<GatewayEnv>, { bodyBytes, depth }: GatewaySettings['limits']): Promise<unknown> {
  // A page of another site can send other types without asking first.
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(c.req.header('content-type') ?? '')) {
    throw new Refused({ status: 415, reason: 'body', detail: 'The body must be JSON, with content-type: application/json.' })
  }
  const text = await readText(c.req.raw, bodyBytes)
  if (isDeeper(text, depth)) throw bad(`The body has more than ${depth} levels of objects and arrays.`)
  try {
    return JSON.parse(text)
  } catch {
    // The message of JSON.parse shows a piece of the body.
    throw bad('The body is no JSON.')
  }
}

async function readText(request: Request, most: number): Promise<string> {
  const tooLarge = (): Refused => new Refused({ status: 413, reason: 'too-large', detail: `The body has more than ${most} bytes.` })
  if (Number(request.headers.get('content-length') ?? 0) > most) throw tooLarge()
  if (request.body === null) return ''
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let bytes = 0
  try {
    for await (const chunk of request.body) {
      bytes += chunk.length
      if (bytes > most) throw tooLarge()
      text += decoder.decode(chunk, { stream: true })
    }
    return text + decoder.decode()
  } catch (error) {
    if (error instanceof Refused) throw error
    throw bad('The body ended early, or is no UTF-8.')
  }
}

/** Whether a JSON text has more levels than that. Looks at the text, so that nothing is built of what is too deep. */
export function isDeeper(text: string, most: number): boolean {
  let level = 0
  let isInText = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (isInText) {
      if (code === backslash) at++
      else if (code === quote) isInText = false
    } else if (code === quote) isInText = true
    else if (code === openBrace || code === openBracket) {
      if (++level > most) return true
    } else if (code === closeBrace || code === closeBracket) level--
  }
  return false
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = Array.from('"\\{}[]', (each) => each.charCodeAt(0))

function bad(detail: string): Refused {
  return new Refused({ status: 400, reason: 'body', detail })
}
