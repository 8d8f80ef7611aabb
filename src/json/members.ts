/**
 * JSON texts whose members JavaScript keeps: each one, in its order. If a text gives a name twice in one object, JavaScript keeps the last
 * member and the provider may use the first. And JavaScript moves names that are array indices to the front. Read so, two different texts
 * would have one key.
 * @module
 */

/** Whether `value`, which was parsed from `text`, holds every member of the text, in the order of the text. */
export function keepsMembers(text: string, value: unknown): boolean {
  return isWrittenAs(value, text) || !losesMembers(text)
}

/** Whether JavaScript writes `value` as exactly this text, as the SDKs do. Such a text has every member of the value and no other. */
export function isWrittenAs(value: unknown, text: string): boolean {
  try {
    return JSON.stringify(value) === text
  } catch {
    // A value that is nested too deeply.
    return false
  }
}

/** The members of one object, as far as they are read. */
interface OpenObject {
  readonly names: Set<string>
  /** The last name, if it is an array index and so are all before it: then a larger one may follow. */
  lastIndex: number
  /** Whether the next text is a name. */
  isNameNext: boolean
}

/** Whether a JSON text has an object with a name twice, or with an array index that JavaScript moves. */
function losesMembers(text: string): boolean {
  // An array is `undefined`.
  const open: (OpenObject | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    const current = open.at(-1)
    switch (text.charAt(at)) {
      case '{':
        open.push({ names: new Set(), lastIndex: -1, isNameNext: true })
        break
      case '[':
        open.push(undefined)
        break
      case '}':
      case ']':
        open.pop()
        break
      case ',':
        if (current !== undefined) current.isNameNext = true
        break
      case '"': {
        const end = endOfText(text, at)
        if (current?.isNameNext === true && !addName(current, text.slice(at, end + 1))) return true
        at = end
        break
      }
      default:
    }
  }
  return false
}

/** @returns whether JavaScript keeps the member of this name where it is */
function addName(object: OpenObject, quoted: string): boolean {
  const name = quoted.includes('\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1)
  const index = isIndex(name) ? Number(name) : Infinity
  if (object.names.has(name) || (index !== Infinity && index <= object.lastIndex)) return false
  object.names.add(name)
  object.lastIndex = index
  object.isNameNext = false
  return true
}

/** Source: https://tc39.es/ecma262/#array-index */
function isIndex(name: string): boolean {
  return /^(?:0|[1-9]\d{0,9})$/.test(name) && Number(name) < 2 ** 32 - 1
}

/** Where the text that begins at `start` ends: at the next quote that is not escaped. */
function endOfText(json: string, start: number): number {
  let end = json.indexOf('"', start + 1)
  while (end !== -1 && isEscaped(json, end)) end = json.indexOf('"', end + 1)
  return end === -1 ? json.length : end
}

function isEscaped(json: string, at: number): boolean {
  let before = at
  while (json[before - 1] === '\\') before--
  return (at - before) % 2 === 1
}
