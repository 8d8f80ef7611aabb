/**
 * Prices as rules: the user's own, the few that llmemo corrects itself, and what a rule makes of an answer's usage.
 * @module
 */
import type { Usage } from '../../entry.ts'
import { assertKnown } from '../../base/option-checks.ts'
import { InvalidOptionError } from '../../errors.ts'

/**
 * What one model costs. All prices are US dollars for a million tokens.
 * Rules are tried in their order, and the first that matches wins.
 */
export interface PriceRule {
  /** The provider that the rule holds for: `openai` (every server that speaks its protocol), `anthropic`, `aws-bedrock`. @default any */
  readonly provider?: string
  /**
   * The model that the rule holds for: its id; with a `*` at the end, how its id begins; or a pattern.
   * Providers answer with a dated id (`gpt-5-mini-2025-08-07`) where the plain one was asked for. A dated id that no rule matches
   * is therefore tried a second time without its date.
   */
  readonly model: string | RegExp
  /** A million input tokens. */
  readonly input: number
  /** A million output tokens, reasoning included. */
  readonly output: number
  /** A million input tokens that the provider read from its own prompt cache. @default as `input` */
  readonly cacheRead?: number
  /** A million input tokens that the provider wrote to its own prompt cache. @default as `input` */
  readonly cacheWrite?: number
  /** A million input tokens that the provider wrote to its own prompt cache for one hour. @default as `cacheWrite` */
  readonly cacheWriteHour?: number
  /** A million audio tokens of the input. @default as `input` */
  readonly audioInput?: number
  /** A million audio tokens of the output. @default as `output` */
  readonly audioOutput?: number
  /** What the price is multiplied by: 0.5 for a batch discount, 1.1 for a regional surcharge. @default 1 */
  readonly multiplier?: number
}

const required = ['input', 'output'] as const
const optional = ['cacheRead', 'cacheWrite', 'cacheWriteHour', 'audioInput', 'audioOutput', 'multiplier'] as const
const known: readonly string[] = ['provider', 'model', ...required, ...optional]
const modelForms = "a model id such as 'gpt-5-mini', the snapshot of one such as 'gpt-5*', or a RegExp"

/**
 * Prices in which `@pydantic/genai-prices` 0.1.8 is known to be wrong.
 * Titan Text Embeddings V2 costs $0.00002 for 1,000 tokens; the package takes it for V1, which costs five times as much.
 * Source: https://aws.amazon.com/bedrock/pricing/
 */
export const corrections: readonly PriceRule[] = [{ model: /(?:^|[/.])amazon\.titan-embed-text-v2(?::|$)/, input: 0.02, output: 0 }]

/**
 * `value` as price rules, copied, so that a later change of the caller's objects has no effect.
 * @param option the option's name, for the error
 * @throws {InvalidOptionError} that names the first field which cannot be: `prices[2].input`
 */
export function priceRules(option: string, value: unknown): readonly PriceRule[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new InvalidOptionError(option, value, 'an array of price rules: { model, input, output }')
  return value.map((rule: unknown, index) => {
    const name = `${option}[${index}]`
    assertPriceRule(name, rule)
    // A pattern with the flags g or y would remember where its last match ended.
    return typeof rule.model === 'string'
      ? { ...rule }
      : { ...rule, model: new RegExp(rule.model.source, rule.model.flags.replace(/[gy]/g, '')) }
  })
}

function assertPriceRule(name: string, value: unknown): asserts value is PriceRule {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidOptionError(name, value, 'an object with at least model, input and output')
  }
  const rule: Record<string, unknown> = { ...value }
  assertKnown(`${name}.`, rule, known)
  const { provider, model } = rule
  if (provider !== undefined && (typeof provider !== 'string' || provider === '')) {
    throw new InvalidOptionError(`${name}.provider`, provider, "a provider such as 'openai', or absent for any")
  }
  if (!isModel(model)) throw new InvalidOptionError(`${name}.model`, model, modelForms)
  for (const field of required) assertAmount(`${name}.${field}`, rule[field])
  for (const field of optional) if (rule[field] !== undefined) assertAmount(`${name}.${field}`, rule[field])
}

function isModel(value: unknown): boolean {
  if (typeof value === 'string') return /^(?:[^*]+\*?|\*)$/.test(value)
  return Object.prototype.toString.call(value) === '[object RegExp]'
}

function assertAmount(option: string, value: unknown): void {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    throw new InvalidOptionError(
      option,
      value,
      option.endsWith('.multiplier') ? 'a number from 0' : 'a number from 0, in US dollars per million tokens',
    )
  }
}

/** The first of `rules` that holds for this model, or for its id without the date. */
export function findRule(rules: readonly PriceRule[], provider: string, model: string): PriceRule | undefined {
  const plain = withoutDate(model)
  const first = rules.find((rule) => holds(rule, provider, model))
  return first ?? (plain === model ? undefined : rules.find((rule) => holds(rule, provider, plain)))
}

function holds(rule: PriceRule, provider: string, model: string): boolean {
  if (rule.provider !== undefined && rule.provider !== provider) return false
  if (typeof rule.model !== 'string') return rule.model.test(model)
  return rule.model.endsWith('*') ? model.startsWith(rule.model.slice(0, -1)) : model === rule.model
}

/** A model's id without the date of its snapshot: `gpt-4o-2024-08-06`, `claude-sonnet-4-5-20250929` and `claude-sonnet-4-5@20250929`. */
export function withoutDate(model: string): string {
  return model.replace(/[-@]20\d{2}(-?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])$/, '')
}

/** Whether the counts of `usage` are numbers from 0 and no part is greater than its whole. Any other usage tells nothing about money. */
export function isConsistent(usage: Usage): boolean {
  // It may come out of a store that another program wrote to.
  if (typeof usage !== 'object' || usage === null) return false
  const { input, output, cacheRead = 0, cacheWrite = 0, cacheWriteHour = 0, audioInput = 0, audioOutput = 0, cost = 0 } = usage
  const counts = [input, output, cacheRead, cacheWrite, cacheWriteHour, audioInput, audioOutput, cost]
  return (
    counts.every((count) => Number.isFinite(count) && count >= 0) &&
    cacheRead + cacheWrite + cacheWriteHour <= input &&
    audioInput <= input &&
    audioOutput <= output
  )
}

/** What an answer with this usage costs by `rule`, in US dollars. `usage` must be consistent. */
export function priceByRule(rule: PriceRule, usage: Usage): number {
  const { input, output, cacheRead = 0, cacheWrite = 0, cacheWriteHour = 0, audioInput = 0, audioOutput = 0 } = usage
  const uncached = input - cacheRead - cacheWrite - cacheWriteHour
  // Providers do not say how much of the audio came from their cache: cached tokens are taken as text for as long as there is text.
  const audio = Math.min(audioInput, uncached)
  const dollars =
    (uncached - audio) * rule.input +
    audio * (rule.audioInput ?? rule.input) +
    cacheRead * (rule.cacheRead ?? rule.input) +
    cacheWrite * (rule.cacheWrite ?? rule.input) +
    cacheWriteHour * (rule.cacheWriteHour ?? rule.cacheWrite ?? rule.input) +
    (output - audioOutput) * rule.output +
    audioOutput * (rule.audioOutput ?? rule.output)
  return (dollars * (rule.multiplier ?? 1)) / 1_000_000
}
