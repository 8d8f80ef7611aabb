/**
 * The options of the gateway as plain data, and what they are when checked. Flags, variables and files are only other ways to write them.
 * @module
 */
import { isIPv6 } from 'node:net'
import { z } from 'zod'
import { GatewayOptionsError } from '../errors.ts'
import { accessSettings } from './access-settings.ts'

/** A base URL, to which paths are added: no query, no fragment, no credential. */
const baseUrl = z.string().refine(isBaseUrl, 'must be a URL such as https://host/v1, without a query, a space or a credential')

/** What a provider takes as its key: what a header can hold. */
const secret = z.string().regex(/^[\x21-\x7e]+$/, 'must be a key: visible ASCII characters only')
const upstreamName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be a name in small letters')

const port = whole(0, 65_535)
const secondsRule = 'must be a number of seconds above 0, at most 86400'
const seconds = z.number(secondsRule).positive(secondsRule).max(86_400, secondsRule)

/** The options by name. Each room adds its own group here. */
const schema = z.strictObject({
  /** The base URL of each upstream by its name. `openai`, `anthropic`, `bedrock` and `gemini` have a path of their own, others `/up/{name}`. */
  upstreams: z.record(upstreamName, baseUrl).default({}),
  /**
   * The key of a provider by the name of its upstream, where the gateway owns it: for all callers, or by tenant. The caller's own credential is
   * then not sent.
   */
  keys: z
    .record(upstreamName, z.union([secret, z.strictObject({ default: secret.optional(), tenants: z.record(z.string(), secret) })]))
    .default({}),
  /** Hosts at private addresses that an upstream may have: `127.0.0.1`, `vllm.internal`. */
  privateHosts: z.array(z.string().refine(isHost, 'must be a host without a scheme and a port: vllm.internal')).default([]),
  /** The region of Bedrock, for whose signatures the gateway uses the AWS credentials of its own process. */
  awsRegion: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'must be a region such as us-east-1')
    .optional(),
  /**
   * The value of the dimension `service` in metrics for CloudWatch, which a function of AWS Lambda then writes into its log after each
   * invocation. @default none are written
   */
  cloudwatch: z
    .string()
    .regex(/^(?![: ])[\x20-\x7e]{1,255}$/, 'must be a name of up to 255 ASCII characters such as llmemo-gateway')
    .optional(),
  /** Where it listens. */
  server: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: port.default(8787),
      workers: whole(1, 256).default(1),
      /** Seconds that requests in flight have after SIGTERM. */
      drain: seconds.default(30),
    })
    .prefault({}),
  /** What a request may be at the most. */
  limits: z
    .strictObject({
      /** Bytes of a body. */
      bodyBytes: whole(1, 2 ** 31).default(32 * 1024 * 1024),
      /** Seconds until the head of a request must be there. */
      head: seconds.default(20),
      /** Seconds until all of a request must be there. */
      request: seconds.default(300),
      /** Levels of objects and arrays within one another, in a body of the REST API. */
      depth: whole(1, 1_000).default(100),
    })
    .prefault({}),
  /** Who may ask. */
  access: accessSettings,
  /** A NATS server: events are published there, and invalidations taken from it. @default none */
  nats: z
    .strictObject({
      /** `nats://host:4222`, or `tls://`; with a user and a password, or a token, before the host if it needs them. */
      url: z.string().refine(isNatsUrl, 'must be a URL such as nats://host:4222'),
      /** What the names of all subjects begin with. */
      prefix: z
        .string()
        .regex(/^[\w-]+(?:\.[\w-]+)*$/, 'must be a name such as llmemo, or several with dots between them')
        .default('llmemo'),
    })
    .optional(),
})

/** The options as a user gives them: everything may be left out. */
export type GatewayData = z.input<typeof schema>

/** The checked options, with every default filled in. */
export type GatewaySettings = z.output<typeof schema>

/** Checks options. @returns the settings, or a sentence for each mistake, without the values */
export function checkOptions(given: unknown): { readonly settings: GatewaySettings } | { readonly mistakes: readonly string[] } {
  const { success, data, error } = schema.safeParse(given)
  if (success) return { settings: data }
  return { mistakes: error.issues.map(sentenceOf) }
}

/** What is wrong, without a value, and without a name that may be one: a key of a provider, pasted in the wrong place. */
function sentenceOf(issue: z.core.$ZodIssue): string {
  const place = issue.path.length === 0 ? 'the options' : issue.path.map(shown).join('.')
  if (issue.code !== 'unrecognized_keys') return `${place}: ${issue.message}`
  const names = issue.path.length === 0 ? `; allowed are ${Object.keys(schema.shape).join(', ')}` : ''
  return `${place}: unknown is ${issue.keys.map(shown).join(', ')}${names}`
}

/** A name as messages show it: words of letters, and a few characters such as an index. */
function shown(name: PropertyKey): string {
  const text = String(name)
  return /^[\w.-]{1,8}$/.test(text) || /^[a-z_.-]{1,40}$/i.test(text) ? text : `a name of ${text.length} characters`
}

/**
 * The options checked, with every default filled in.
 * @throws {GatewayOptionsError} with every mistake
 */
export function readSettings(given: unknown): GatewaySettings {
  const checked = checkOptions(given)
  if ('mistakes' in checked) throw new GatewayOptionsError(checked.mistakes)
  return checked.settings
}

function whole(least: number, most: number): z.ZodInt {
  const rule = `must be a whole number from ${least} to ${most}`
  return z.int(rule).min(least, rule).max(most, rule)
}

function isHost(text: string): boolean {
  return /^[^\s/:@]+$/.test(text) || isIPv6(text)
}

function isNatsUrl(text: string): boolean {
  return /^(?:nats|tls):$/.test(URL.parse(text)?.protocol ?? '')
}

function isBaseUrl(text: string): boolean {
  const url = URL.parse(text)
  // A path is written after it as it stands: an empty query would take that in, and a space at its end would be part of it.
  if (/[\s?#]/.test(text)) return false
  if (url === null || !/^https?:$/.test(url.protocol)) return false
  return url.username === '' && url.password === ''
}
