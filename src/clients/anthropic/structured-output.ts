/**
 * What the Anthropic SDK's own helpers for structured answers do around a call: they put functions into its body, and make a new result of
 * its result.
 * @module
 */
import { attachInfo, cacheInfo } from '../cache-info.ts'
import type { FetchClient } from '../http/sdk-client.ts'

type Method = (...given: unknown[]) => unknown

/** `client`, with a `parse()` that copies the facts to the new result that it makes of the result of `create()`. */
export function withInformedParse(client: FetchClient): FetchClient {
  for (const resource of [Reflect.get(client, 'messages'), memberOf(Reflect.get(client, 'beta'), 'messages')]) {
    if (typeof resource !== 'object' || resource === null || !['parse', 'create'].every((name) => isMethod(memberOf(resource, name))))
      continue
    const value = informedParse(resource)
    originals.set(value, methodOf(resource, 'parse'))
    Object.defineProperty(resource, 'parse', { value, configurable: true, writable: true })
  }
  return client
}

/** The method below one of ours. A client that is wrapped twice inherits ours. */
const originals = new WeakMap<Method, Method>()

function informedParse(resource: object): Method {
  const parse = methodOf(resource, 'parse')
  return async (...given: unknown[]) => {
    let created: unknown
    const creating = (...made: unknown[]): unknown => (created = Reflect.apply(methodOf(resource, 'create'), resource, made))
    const parsed: unknown = await Reflect.apply(parse, Object.create(resource, { create: { value: creating } }), given)
    const info = cacheInfo(await created)
    if (info !== undefined) attachInfo(parsed, () => info)
    return parsed
  }
}

/**
 * A body without the functions that the SDK's helpers put into it: how a format parses, how a tool runs. They are not sent, but no key can
 * be made of a body that has them.
 */
export function withoutFunctions(body: unknown): unknown {
  const [config, format, tools] = ['output_config', 'output_format', 'tools'].map((name) => memberOf(body, name))
  const plain = {
    ...(memberOf(config, 'format') !== undefined && { output_config: { ...Object(config), format: dataOf(memberOf(config, 'format')) } }),
    ...(format !== undefined && { output_format: dataOf(format) }),
    ...(Array.isArray(tools) && { tools: tools.map(dataOf) }),
  }
  return Object.keys(plain).length === 0 ? body : { ...Object(body), ...plain }
}

function dataOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || isMethod(memberOf(value, 'toJSON'))) return value
  if (!Object.values(value).some(isMethod)) return value
  return Object.fromEntries(Object.entries(value).filter(([, member]) => !isMethod(member)))
}

function methodOf(of: object, name: string): Method {
  const method: unknown = Reflect.get(of, name)
  if (!isMethod(method)) throw new TypeError(`the SDK has no ${name}()`)
  return method
}

function isMethod(value: unknown): value is Method {
  return typeof value === 'function'
}

/** The member `name` of a value that may not be an object. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
