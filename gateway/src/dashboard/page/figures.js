/** The figures: tiles, plots, breakdowns, latency, tiers and advice. */
import { ask } from './ask.js'
import { at, empty, make, scrolling, table, withBar } from './build.js'
import { plot } from './plots.js'
import { bytes, clock, count, percent, seconds, time, usd } from './write.js'

const onlyAdmin = 'Only an admin without a tenant may see this.'

function put(id, text) {
  at(id).textContent = text
  at(id).classList.remove('loading')
}

/** The tiles and the breakdowns. */
export async function showStats() {
  const stats = await ask('/cache/stats')
  const calls = stats.hits + stats.misses
  put('hit-rate', calls === 0 ? '–' : percent(stats.hits / calls))
  put('hits', calls === 0 ? 'no calls yet' : `${count(stats.hits)} hits, ${count(stats.misses)} misses`)
  put('saved-usd', usd(stats.saved_usd))
  put('saved-tokens', `${count(stats.saved_tokens)} tokens`)
  put('saved-time', seconds(stats.saved_ms / 1_000))
  put('saved-mean', stats.hits === 0 ? 'by hits' : `${time(stats.saved_ms / stats.hits)} a hit`)
  const isOfAll = stats.hot_cache_bytes !== undefined
  put('hot-bytes', isOfAll ? bytes(stats.hot_cache_bytes) : '–')
  put('hot-entries', isOfAll ? `${count(stats.hot_cache_size)} entries` : 'shared by all tenants')
  showRows('by-model', 'Model', stats.by_model)
  showRows('by-operation', 'Operation', stats.by_operation)
  showRows('by-tenant', 'Tenant', stats.by_tenant)
}

function showRows(id, title, rows) {
  if (rows === undefined) return at(id).replaceChildren(empty(onlyAdmin))
  const sorted = Object.entries(rows)
    .filter(([, { hits, misses }]) => hits + misses > 0)
    .toSorted(([, first], [, second]) => second.saved_usd - first.saved_usd || second.hits - first.hits)
    .slice(0, 12)
  if (sorted.length === 0) return at(id).replaceChildren(empty('No calls yet.'))
  const columns = [
    { title, cell: ([name]) => (name === '' ? '(none)' : name) },
    { title: 'Hit rate', cell: ([, { hits, misses }]) => withBar(hits / (hits + misses), percent(hits / (hits + misses))) },
    { title: 'Calls', number: true, cell: ([, { hits, misses }]) => count(hits + misses) },
    { title: 'Saved', number: true, cell: ([, { saved_usd: saved }]) => usd(saved) },
  ]
  showTable(id, table(`Calls ${title.toLowerCase()} by ${title.toLowerCase()}`, columns, sorted), `By ${title.toLowerCase()}`)
}

/** Keeps the focus and the place of a box that is read just now. */
function showTable(id, child, label) {
  const box = at(id).querySelector(':scope > .scroll')
  if (box === null) at(id).replaceChildren(scrolling(label, child))
  else box.replaceChildren(child)
}

/** The plots. @param range `minutes` or `days` */
export async function showTime(range, recent) {
  const points = range === 'days' ? await days() : fiveMinutes(recent.minutes)
  if (points === undefined) {
    for (const id of ['rate-plot', 'usd-plot'])
      at(id).replaceChildren(empty('This gateway does not keep savings by day for you. CACHE_SAVINGS=true keeps them.'))
    return
  }
  const rate = points.map(({ label, hits, misses }) => {
    const calls = hits + misses
    return {
      label,
      value: calls === 0 ? null : hits / calls,
      text: calls === 0 ? 'no calls' : `${percent(hits / calls)} of ${count(calls)}`,
    }
  })
  plot('rate-plot', { title: 'Hit rate', points: rate, kind: 'curve', most: 1, scale: percent })
  const saved = points.map(({ label, saved_usd: value }) => ({ label, value, text: usd(value) }))
  plot('usd-plot', { title: 'Dollars saved', points: saved, kind: 'columns', scale: usd })
}

/** Minutes put together by five, so that each has enough calls for a rate. */
function fiveMinutes(minutes) {
  const groups = new Map()
  for (const { at: end, hits, misses, saved_usd: saved } of minutes) {
    const begin = Math.floor((end - 1) / 300_000) * 300_000
    const group = groups.get(begin) ?? { label: clock(begin), hits: 0, misses: 0, saved_usd: 0 }
    groups.set(begin, { ...group, hits: group.hits + hits, misses: group.misses + misses, saved_usd: group.saved_usd + saved })
  }
  return [...groups.values()]
}

async function days() {
  try {
    const { rows, total } = await ask('/cache/savings?by=day&days=30')
    const found = Object.entries(rows).filter(([name]) => /^\d{4}-\d\d-\d\d$/.test(name))
    if (found.length === 0 && total.hits + total.misses > 0) return undefined
    return found
      .toSorted(([first], [second]) => first.localeCompare(second))
      .map(([label, row]) => Object.assign({ label: label.slice(5) }, row))
  } catch (error) {
    if (error.status === 400 || error.status === 404) return undefined
    throw error
  }
}

/** Latency, tiers and advice: the monitor's report, which tells of all tenants. */
export async function showReport() {
  let report
  try {
    report = await ask('/cache/report')
  } catch (error) {
    if (error.status !== 403) throw error
    for (const id of ['latency', 'tiers', 'advice']) at(id).replaceChildren(empty(onlyAdmin))
    return
  }
  showLatency(report)
  await showTiers(report)
  const { recommendations } = report
  if (recommendations.length === 0) at('advice').replaceChildren(empty('Nothing: the last hour gives no cause.'))
  else at('advice').replaceChildren(make('ul', { class: 'advice' }, ...recommendations.map(({ text }) => make('li', {}, text))))
}

function showLatency({ readTimes, providerTimes }) {
  const sources = [
    ...Object.entries(readTimes),
    ...Object.entries(providerTimes).map(([name, times]) => [`${name || 'provider'} (upstream)`, times]),
  ]
  const rows = sources.filter(([, times]) => times.count > 0)
  if (rows.length === 0) return at('latency').replaceChildren(empty('No reads in the last hour.'))
  const columns = [
    { title: 'Source', cell: ([name]) => name },
    { title: 'p50', number: true, cell: ([, { p50 }]) => time(p50) },
    { title: 'p99', number: true, cell: ([, { p99 }]) => time(p99) },
    { title: 'Times', number: true, cell: ([, { count: times }]) => count(times) },
  ]
  showTable('latency', table('Latency by source in the last hour', columns, rows), 'Latency by source')
}

/** A state in the colour of good or bad. */
function state(isUsable, text) {
  return make('span', { class: isUsable ? 'good' : 'wrong' }, text)
}

async function showTiers({ stores, written, memory }) {
  const { tiers } = await ask('/ready')
  const { bytes: held, maxBytes } = tiers.memory
  const rows = [
    ['Memory', withBar(maxBytes === 0 ? 0 : held / maxBytes, `${bytes(held)} of ${bytes(maxBytes)}`)],
    ...stores.flatMap(({ name, read, write }) => [
      [`${name}: reads`, state(read, read ? 'breaker closed' : 'breaker open')],
      [`${name}: writes`, state(write, write ? 'breaker closed' : 'breaker open')],
    ]),
    ...(stores.length === 0 ? [['Breaker', state(true, 'never opened')]] : []),
    ['Dropped writes', state(written.dropped === 0, count(written.dropped))],
    ['Written entries', count(written.entries)],
    ['Evictions', count(memory.evictions)],
  ]
  const columns = [
    { title: 'Tier', cell: ([name]) => name },
    { title: 'State', cell: ([, value]) => value },
  ]
  showTable('tiers', table('State of the tiers', columns, rows), 'Tiers')
}
