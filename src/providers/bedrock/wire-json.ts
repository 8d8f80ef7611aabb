/**
 * The JSON of Bedrock's Converse on the wire, where bytes are base64, as tagged JSON, in which the AWS SDK's own objects are keyed and stored.
 * Only the places of the protocol's own hold bytes: a text in free-form JSON stays a text.
 * Source: the members of type `blob` in https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 * @module
 */
import { base64Of, bytesOfBase64 } from '../../base/text-bytes.ts'
import { isTaggedBytes } from '../../json/tagged.ts'
import { isJsonObject } from '../../json/object.ts'

/** Members whose value is JSON of the user's own, or of a model's. */
const freeForm = new Set([
  'input',
  'json',
  'additionalModelRequestFields',
  'additionalModelResponseFields',
  'promptVariables',
  'requestMetadata',
])

/** The value as tagged JSON. */
export function fromWire(value: unknown, name = '', parent = ''): unknown {
  if (typeof value === 'string') return isBytes(name, parent) ? { $bytes: base64Of(bytesOfBase64(value)) } : value
  return mapped(value, { name, escape: (member) => (member.startsWith('$') ? `$${member}` : member), change: fromWire })
}

/** The value on the wire, of tagged JSON. */
export function toWire(value: unknown, name = ''): unknown {
  if (isTaggedBytes(value)) return value.$bytes
  return mapped(value, { name, escape: (member) => (member.startsWith('$$') ? member.slice(1) : member), change: toWire })
}

function isBytes(name: string, parent: string): boolean {
  return (name === 'bytes' && parent === 'source') || name === 'redactedContent'
}

/** How a value is changed. */
interface Change {
  /** The member that the value is in. */
  readonly name: string
  /** The name of a member in the other form. */
  readonly escape: (member: string) => string
  readonly change: (value: unknown, name: string, parent: string) => unknown
}

function mapped(value: unknown, { name, escape, change }: Change): unknown {
  // The elements of an array are in the member that the array is in.
  if (Array.isArray(value)) return value.map((each: unknown) => change(each, name, ''))
  if (!isJsonObject(value)) return value
  const within = (member: string): string => (freeForm.has(name) || name === free ? free : member)
  return Object.fromEntries(
    Object.entries(value).map(([member, each]) => [escape(member), change(each, within(member), within(member) === free ? free : name)]),
  )
}

/** Stands for the name of any member within free-form JSON. */
const free = ' free'
