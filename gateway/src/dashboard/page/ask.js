/** Asks the gateway, with the key of this tab. */
const place = 'llmemo-key'

/** An answer that says no, or none at all. */
export class AnswerError extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

export function keep(key) {
  sessionStorage.setItem(place, key)
}

export function forgetKey() {
  sessionStorage.removeItem(place)
}

export function headers() {
  const key = sessionStorage.getItem(place)
  return key === null ? {} : { 'x-llmemo-api-key': key }
}

/** Gets JSON, or posts `body` for it. */
export async function ask(path, body) {
  let response
  try {
    response = await fetch(path, {
      headers: { ...headers(), ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    })
  } catch {
    throw new AnswerError(0, 'The gateway does not answer.')
  }
  const answer = await response.json().catch(() => ({}))
  if (response.ok) return answer
  throw new AnswerError(response.status, answer.error ?? `The gateway answered ${response.status}.`)
}
