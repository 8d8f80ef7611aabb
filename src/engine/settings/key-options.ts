/**
 * How keys are made, as far as a cache's options say it.
 * @module
 */
import { assertKnown, texts, wholeNumber } from '../../base/option-checks.ts'
import { InvalidOptionError } from '../../errors.ts'
import type { CanonicalOptions } from '../../json/canonical.ts'
import { type HeaderNames, headerNames } from '../../providers/passing-headers.ts'

/** A change of a text before it enters the key, under which two texts that differ in it count as the same question. */
export type TextFolding = 'white-space' | 'unicode-form' | 'letter-case'

/** How keys are made. */
export interface KeyOptions {
  /** Texts of more characters than this enter the key by their digest. @default 1000 */
  readonly longText?: number
  /** Further top-level request fields that take no part in the key: `['seed']`. @default [] */
  readonly ignore?: readonly string[]
  /** Top-level request fields that take part although the provider's table ignores them: `['user']`. @default [] */
  readonly keep?: readonly string[]
  /**
   * Further request headers that are not part of the key, in any letter case. A `*` at the end stands for any text: `'helicone-*'`.
   * @default []
   */
  readonly ignoreHeaders?: readonly string[]
  /** What to fold in texts. Every folding makes more calls count as the same; none is on by itself. @default [] */
  readonly fold?: readonly TextFolding[]
}

/** How keys are made, checked and whole. */
export interface KeySettings {
  readonly canonical: CanonicalOptions
  readonly ignoredFields: ReadonlySet<string>
  readonly keptFields: ReadonlySet<string>
  readonly ignoredHeaders: HeaderNames
}

const names = ['longText', 'ignore', 'keep', 'ignoreHeaders', 'fold']

const foldings: Readonly<Record<TextFolding, (text: string) => string>> = {
  'white-space': (text) => text.trim().replaceAll(/\s+/gu, ' '),
  'unicode-form': (text) => text.normalize('NFC'),
  'letter-case': (text) => text.toLowerCase(),
}

/** How keys are made, checked and whole. @throws {InvalidOptionError} that names the first option which is unknown or cannot be */
export function readKeyOptions(given: KeyOptions): KeySettings {
  assertKnown('key.', given, names)
  const { ignore = [], keep = [], ignoreHeaders = [] } = given
  return {
    canonical: readCanonical(given),
    ignoredFields: new Set(texts('key.ignore', ignore)),
    keptFields: new Set(texts('key.keep', keep)),
    ignoredHeaders: readHeaders(ignoreHeaders),
  }
}

function readHeaders(given: unknown): HeaderNames {
  const headers = texts('key.ignoreHeaders', given)
  for (const name of headers) {
    if (/^[^*]+\*?$/.test(name)) continue
    throw new InvalidOptionError('key.ignoreHeaders', name, "names, each with at most one * and that at its end: 'helicone-*'")
  }
  return headerNames(headers)
}

function readCanonical(key: KeyOptions): CanonicalOptions {
  const { longText: given = 1_000, fold = [] } = key
  const longText = wholeNumber('key.longText', given, { least: 64, of: 'characters' })
  const folds = texts('key.fold', fold).map((name) => {
    const folding = Object.hasOwn(foldings, name) ? Reflect.get(foldings, name) : undefined
    if (folding === undefined) throw new InvalidOptionError('key.fold', name, Object.keys(foldings))
    return folding
  })
  if (folds.length === 0) return { longText }
  // Bytes in a text are no prose: in base64, another letter case is another picture.
  const text = (value: string): string => (value.includes(';base64,') ? value : folds.reduce((folded, fold) => fold(folded), value))
  return { longText, text }
}
