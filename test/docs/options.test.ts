import { describe, expect, it } from 'vitest'
import { page } from './pages.ts'
import { exportedBy, sourceEntries } from './source-options.ts'

const doors = [
  'src/index.ts',
  'src/adapters/ai-sdk/middleware.ts',
  'src/adapters/langchain/langchain.ts',
  'src/env/env.ts',
  'src/monitor/monitor.ts',
  'src/monitor/otel.ts',
  'src/stores/cosmos/store.ts',
  'src/stores/dynamodb/store.ts',
  'src/stores/firestore/store.ts',
  'src/stores/objects/objects.ts',
  'src/stores/redis/store.ts',
  'src/stores/sqlite/store.ts',
  'src/stores/sqs/store.ts',
  'src/testing/index.ts',
]

/** What the doors export that makes nothing by options: a reader of facts. */
const makesNothing = new Set(['cacheInfo', 'cacheOf', 'globMatcher', 'isNotCached'])

/** Options that no factory takes, but a call, a method or a check. */
const takenByMethods = [
  'EmfOptions',
  'ReportOptions',
  'CacheRequestOptions',
  'CallOptions',
  'CacheRequest',
  'EntryFilter',
  'SavingsOptions',
  'TextRequest',
  'OriginCall',
  'AnswerRules',
  'PartRules',
  'InputRules',
  'Invalidation',
  'ChaosScope',
  'StoreUnderTest',
]

/** Things that are passed in as options and have members, but no options of their own. */
const things = new Set([
  'AzureBlobContainer',
  'Cache',
  'Clock',
  'CosmosContainer',
  'DefinedEndpoint',
  'FirestoreClient',
  'GcsBucket',
  'GraphSerializer',
  'Logger',
  'ObjectClient',
  'ObjectStore',
  'PerInput',
  'QueueClient',
  'RedisClient',
  'RedisSubscriber',
  'SqliteDatabase',
  'Store',
  'Usage',
])

interface Row {
  readonly name: string
  readonly type: string
  readonly fallback: string
}

/** The tables of the page by the name in the heading above each. */
function tablesIn(text: string): ReadonlyMap<string, readonly Row[]> {
  const sections = text.split(/^### /m).slice(1)
  return new Map(
    sections.map((section): [string, Row[]] => {
      const rows = [...section.matchAll(/^\| `([^`]+)` \| `([^`]+)` \| (.+?) \| .+ \|$/gm)]
      const name = /^`([^`]+)`/.exec(section)?.[1] ?? ''
      return [
        name,
        rows.map(([, option = '', type = '', fallback = '']) => ({ name: option, type: type.replaceAll('\\|', '|'), fallback })),
      ]
    }),
  )
}

/** A default as it can be compared: a literal by its value; one that is told in words by the fact that there is one. */
function comparable(fallback: string): string {
  const plain = fallback.replaceAll('`', '')
  const literal = /^(?:'[^']*'|\d[\d_]*|\[\]|true|false|none|any|console|required|–|Math\.random|seededRandom\(\d+\)|as \w+)/.exec(plain)
  return literal?.[0].replaceAll('_', '') ?? 'in words'
}

/** A row as it can be compared. */
function shown({ name, type, fallback }: Row): Row {
  return { name, type, fallback: comparable(fallback) }
}

const entries = sourceEntries()

/** Every interface of options that can be reached from these names. */
function reached(names: readonly string[], seen = new Set<string>()): Set<string> {
  for (const name of names) {
    const entry = entries.get(name)
    if (entry === undefined || seen.has(name) || things.has(name)) continue
    seen.add(name)
    reached(entry.mentions, seen)
  }
  return seen
}

/** The options of an entry, less the parameter that holds options of its own. A request by its text has an option of that name. */
function ownOptions(name: string): readonly Row[] {
  return entries.get(name)?.options.filter((option) => option.name !== 'options' || name === 'TextRequest') ?? []
}

describe('docs/options.md', () => {
  const tables = tablesIn(page('docs/options.md'))
  const factories = doors.flatMap(exportedBy).filter((name) => entries.has(name) && !makesNothing.has(name) && !name.endsWith('Error'))
  const expected = [...reached([...factories, ...takenByMethods])].filter((name) => ownOptions(name).length > 0)

  it('has a table for all that takes options, and for nothing else', () => {
    expect(factories).toEqual(expect.arrayContaining(['createCache', 'withCache', 'redisStore', 'chaosStore', 'ManualClock']))
    expect([...tables.keys()].toSorted()).toEqual(expected.toSorted())
  })

  it.each(expected)('has the options of %s, each with its type and default', (name) => {
    const rows = tables.get(name) ?? []
    expect(rows.map(shown)).toEqual(ownOptions(name).map(shown))
  })

  it('has the defaults that README.md names', () => {
    const table = /\| option \| default \|[^]*?\n\n/.exec(page('README.md'))?.[0] ?? ''
    const named = [...table.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, option = '', fallback = '']) => ({ option, fallback }))
    expect(named.length).toBeGreaterThan(5)
    const options = ['CacheOptions', 'FreshnessOptions', 'SizeOptions', 'SwitchOptions'].flatMap((name) => tables.get(name) ?? [])
    const differing = named.filter(({ option, fallback }) => {
      const told = options.find(({ name }) => name === option)?.fallback.replaceAll('`', '')
      return told?.includes(fallback.replaceAll('`', '')) !== true
    })
    expect(differing).toEqual([])
  })
})

describe('the comparison of defaults', () => {
  it('takes a literal by its value and words as words', () => {
    expect(['67_108_864 (64 MiB)', "`'1h'`", '0, which is never', 'as `input`', 'the clock of the machine', '–'].map(comparable)).toEqual([
      '67108864',
      "'1h'",
      '0',
      'as input',
      'in words',
      '–',
    ])
  })
})
