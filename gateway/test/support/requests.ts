/** An answer as tests look at it. */
export interface Answered {
  readonly status: number
  readonly type: string | null
  readonly headers: Headers
  readonly body: unknown
}

/** Sends JSON. */
export function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answered> {
  return ask(url, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } })
}

/** Asks, and reads the answer: JSON, or else a text. */
export async function ask(url: string, init: RequestInit = {}): Promise<Answered> {
  const headers = new Headers(init.headers)
  headers.set('connection', 'close')
  const response = await fetch(url, { ...init, headers })
  const text = await response.text()
  const type = response.headers.get('content-type')
  return { status: response.status, type, headers: response.headers, body: /json/.test(type ?? '') ? JSON.parse(text) : text }
}
