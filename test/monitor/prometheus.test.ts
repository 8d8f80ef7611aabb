import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createMonitor } from '../../src/monitor/monitor.ts'
import { answer, ask, callerOf, openCache, question } from '../support/chat.ts'
import { isPromtoolThere, promtool } from '../support/install-promtool.ts'
import { top } from '../support/packed.ts'
import { ScriptedStore } from '../support/scripted-store.ts'
import { runWorkload, workloadLatency, workloadPrices, workloadTtl, workloadUsd } from '../support/workload.ts'

const hasPromtool = isPromtoolThere()
const deploy = join(top, 'examples/deploy/prometheus')

/** The samples of a text: `name{labels}` to value. Labels are in the order in which they stand. */
function samplesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line): [string, number] => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

/** A monitor of a cache to which everything has happened that a metric tells of. */
async function eventful() {
  const store = new ScriptedStore()
  const { cache, clock } = openCache({ store, ttl: workloadTtl, stale: '1d', prices: workloadPrices, maxMemoryBytes: 20_000 })
  const monitor = createMonitor(cache, { clock })
  const expected = await runWorkload({ cache, clock, store, calls: 600 })
  const caller = callerOf(cache)
  await caller.ask('a "quoted" \\ operation')
  await cache.store(question('cut off'), answer('4', 'length'))
  store.reads = 'rejects'
  store.writes = 'rejects'
  for (let number = 0; number < 6; number++) {
    await ask(cache, question(`broken ${number}`))
    await cache.set(`key ${number}`, number)
  }
  await cache.flush()
  return { cache, clock, monitor, expected }
}

describe('the text for Prometheus', () => {
  it('has the figures that the provider and the callers count', async () => {
    const store = new ScriptedStore()
    const { cache, clock } = openCache({ store, ttl: workloadTtl, stale: '1d', prices: workloadPrices })
    const monitor = createMonitor(cache, { clock })
    const expected = await runWorkload({ cache, clock, store, calls: 5_000 })
    const samples = samplesOf(monitor.prometheus())
    for (const [operation, { hits, misses }] of Object.entries(expected.byOperation)) {
      expect(samples.get(`llmemo_hits_total{operation="${operation}"}`)).toBe(hits)
      expect(samples.get(`llmemo_misses_total{operation="${operation}"}`)).toBe(misses)
    }
    expect(samples.get('llmemo_stale_hits_total')).toBe(expected.all.stale)
    expect(samples.get('llmemo_bypasses_total{reason="no-store"}')).toBe(expected.bypasses)
    expect(samples.get('llmemo_saved_dollars_total{operation="chat"}')).toBeCloseTo(
      (expected.byOperation['chat']?.hits ?? 0) * workloadUsd,
      6,
    )
    const asked = expected.requests - expected.bypasses
    expect(samples.get('llmemo_provider_seconds_count{provider="openai"}')).toBe(asked)
    expect(samples.get('llmemo_provider_seconds_sum{provider="openai"}')).toBeCloseTo((asked * workloadLatency) / 1_000, 6)
    expect(samples.get('llmemo_provider_seconds{provider="openai",quantile="0.95"}')).toBeCloseTo(workloadLatency / 1_000, 2)
    expect(samples.get('llmemo_memory_bytes')).toBe(cache.memory().bytes)
    // A scope may name a customer.
    expect(monitor.prometheus()).not.toContain('tenant')
  })

  it('counts on when old times are forgotten', async () => {
    const { cache, clock } = openCache()
    const monitor = createMonitor(cache, { clock })
    const caller = callerOf(cache)
    await caller.ask('a')
    clock.advance(3 * 3_600_000)
    const samples = samplesOf(monitor.prometheus())
    expect(samples.has('llmemo_provider_seconds_count{provider="openai"}')).toBe(false)
    await caller.ask('b')
    expect(samplesOf(monitor.prometheus()).get('llmemo_provider_seconds_count{provider="openai"}')).toBe(2)
  })

  it.runIf(hasPromtool)('passes promtool', async () => {
    const { cache, clock, monitor } = await eventful()
    await cache.lookup(question('x', { operation: 'a "quoted" \\ line\nbreak', mode: 'reload' }))
    const text = monitor.prometheus()
    expect(text).toContain('operation="a \\"quoted\\" \\\\ line\\nbreak"')
    expect(promtool(['check', 'metrics'], text)).toEqual({ code: 0, output: '' })
    expect(promtool(['check', 'metrics'], `${text}llmemo_hits_total 1 2 3\n`).code).not.toBe(0)
    const fresh = createMonitor(openCache().cache, { clock })
    expect(promtool(['check', 'metrics'], fresh.prometheus())).toEqual({ code: 0, output: '' })
  })
})

/** The names of our metrics in an expression. */
function namesIn(expression: string): string[] {
  return [...expression.matchAll(/(?:job:)?llmemo_\w+(?::\w+)?/g)].map(([name]) => name)
}

/** Every expression of the dashboard, with Grafana's variables filled in. */
function dashboardExpressions(): string[] {
  const text = readFileSync(join(deploy, 'dashboard.json'), 'utf8')
  const found: string[] = []
  JSON.parse(text, (name, value: unknown) => {
    if (name === 'expr' && typeof value === 'string') found.push(value)
    return value
  })
  return found.map((each) => each.replaceAll(/\$__(?:rate_interval|range)/g, '5m').replaceAll('$job', '.*'))
}

describe('the rules, alerts and dashboard', () => {
  const rules = readFileSync(join(deploy, 'rules.yml'), 'utf8')

  it('name only metrics that there are', async () => {
    const { monitor } = await eventful()
    const given = new Set([...samplesOf(monitor.prometheus()).keys()].map((name) => name.replace(/\{.*/s, '')))
    const recorded = new Set([...rules.matchAll(/record: (\S+)/g)].map(([, name = '']) => name))
    const series = readFileSync(join(deploy, 'rules.test.yml'), 'utf8')
    const named = [...dashboardExpressions(), rules, series].flatMap(namesIn)
    expect(named.length).toBeGreaterThan(40)
    expect([...new Set(named)].filter((name) => !given.has(name) && !recorded.has(name))).toEqual([])
  })

  it.runIf(hasPromtool)('play as they should', () => {
    expect(promtool(['check', 'rules', join(deploy, 'rules.yml')])).toMatchObject({ code: 0 })
    const played = promtool(['test', 'rules', join(deploy, 'rules.test.yml')])
    expect(played.output).toContain('SUCCESS')
    expect(played.code).toBe(0)
  })

  it.runIf(hasPromtool).each([
    ['a misspelt key', 'for: 5m', 'four: 5m', 'check', /field four not found/],
    [
      'an expression that is none',
      'min by (job, store, side) (llmemo_store_usable) == 0',
      'min by (job (llmemo_store_usable)',
      'check',
      /parse error/,
    ],
    ['another bound', '< 0.4\n', '< 0.9\n', 'test', /FAILED/],
    ['a metric that there is not', '(llmemo_store_usable)', '(llmemo_store_useable)', 'test', /FAILED/],
  ])('are wrong with %s', (_name, right, wrong, command, said) => {
    const folder = mkdtempSync(join(tmpdir(), 'llmemo-rules-'))
    try {
      expect(rules).toContain(right)
      writeFileSync(join(folder, 'rules.yml'), rules.replace(right, wrong))
      writeFileSync(join(folder, 'rules.test.yml'), readFileSync(join(deploy, 'rules.test.yml'), 'utf8'))
      const { code, output } = promtool([command, 'rules', join(folder, command === 'check' ? 'rules.yml' : 'rules.test.yml')])
      expect([code === 0, output]).toEqual([false, expect.stringMatching(said)])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it.runIf(hasPromtool)('of the dashboard are expressions that Prometheus reads', () => {
    const folder = mkdtempSync(join(tmpdir(), 'llmemo-dashboard-'))
    try {
      const expressions = dashboardExpressions()
      expect(expressions.length).toBeGreaterThan(10)
      const file = join(folder, 'rules.yml')
      const wrapped = expressions.map((expr, index) => `      - record: panel:${index}\n        expr: ${JSON.stringify(expr)}`)
      writeFileSync(file, `groups:\n  - name: dashboard\n    rules:\n${wrapped.join('\n')}\n`)
      expect(promtool(['check', 'rules', file])).toMatchObject({ code: 0 })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
