/** The page: shows the figures, and keeps them true by the stream of events. */
import { ask, forgetKey, keep } from './ask.js'
import { at } from './build.js'
import { showEntries } from './entries.js'
import { follow } from './events.js'
import { prepareExplanation } from './explain.js'
import { showReport, showStats, showTime } from './figures.js'
import { prepareInvalidation } from './invalidate.js'
import { count } from './write.js'

/** Milliseconds between two looks, however many events there are. */
const pause = 500
/** Milliseconds between two looks when nothing happens. */
const rest = 30_000

let recent
let isFollowing = false
let isDue = false
let isRunning = false
let said = 0

const may = (role) => recent?.roles.includes(role) === true

async function figures() {
  recent = await ask('/dashboard/recent')
  await Promise.all([showStats(), showTime(at('range').value, recent), showReport()])
}

/** Shows all again; errors where people see them. */
async function refresh() {
  if (isRunning) {
    isDue = true
    return
  }
  isRunning = true
  isDue = false
  try {
    await figures()
    at('problem').hidden = true
    at('page').setAttribute('aria-busy', 'false')
  } catch (error) {
    showProblem(error)
  }
  setTimeout(() => {
    isRunning = false
    if (isDue) void refresh()
  }, pause)
}

function showProblem(error) {
  const needsKey = error.status === 401
  at('key-form').hidden = !needsKey
  at('page').hidden = needsKey
  at('problem').hidden = needsKey && !sessionStorage.length
  at('problem').textContent = needsKey
    ? 'This key is not valid, or no longer.'
    : `${error.message ?? 'The figures cannot be shown.'} The page tries again.`
  if (!needsKey) return
  forgetKey()
  at('live').textContent = 'Waiting for a key'
  at('live').dataset.state = 'waiting'
  at('key').focus()
}

function showState(state) {
  at('live').dataset.state = state
  at('live').textContent = state === 'live' ? 'Live' : 'Connection lost'
  if (state === 'live') void refresh()
}

let heard = 0

function told(name) {
  if (name === 'savings') return
  heard++
  void refresh()
  // A screen reader is told seldom.
  if (Date.now() - said < 10_000) return
  said = Date.now()
  at('live').textContent = `Live, ${count(heard)} ${heard === 1 ? 'event' : 'events'}`
}

async function open() {
  await refresh()
  if (recent === undefined) return
  at('key-form').hidden = true
  at('page').hidden = false
  at('who').textContent = recent.tenant === undefined ? 'all tenants' : `tenant ${recent.tenant}`
  at('invalidate-form').hidden = !may('write')
  await showEntries(may('admin'))
  if (isFollowing) return
  isFollowing = true
  await follow(told, showState)
  isFollowing = false
}

at('key-form').addEventListener('submit', (event) => {
  event.preventDefault()
  keep(at('key').value.trim())
  at('key').value = ''
  isRunning = false
  void open()
})
at('search-form').addEventListener('submit', (event) => {
  event.preventDefault()
  void showEntries(may('admin'))
})
at('range').addEventListener('change', () => void refresh())
prepareInvalidation(async () => {
  await refresh()
  await showEntries(may('admin'))
})
prepareExplanation()
setInterval(() => void refresh(), rest)
void open()
