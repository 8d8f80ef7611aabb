/** The list of entries, and the content of one where the caller may read it. */
import { ask } from './ask.js'
import { at, empty, make, table } from './build.js'
import { bytes, count, seconds } from './write.js'

export const entryColumns = [
  { title: 'Key', cell: ({ key }) => make('code', { title: key }, key.length > 20 ? `${key.slice(0, 16)}…` : key) },
  { title: 'Operation', cell: ({ operation }) => operation || '–' },
  { title: 'Model', cell: ({ model }) => model || '–' },
  { title: 'Tenant', cell: ({ tenant }) => tenant || '–' },
  { title: 'Tags', cell: ({ tags }) => tags.join(', ') || '–' },
  { title: 'Age', number: true, cell: ({ age }) => seconds(age) },
  { title: 'Fresh for', number: true, cell: ({ ttl }) => seconds(ttl) },
  { title: 'Size', number: true, cell: ({ bytes: size }) => bytes(size) },
]

/** Lists the entries for the text in the field. @param mayRead whether contents may be shown */
export async function showEntries(mayRead) {
  const text = at('search').value.trim()
  const query = new URLSearchParams({ limit: '50', ...(text !== '' && { search: text }) })
  at('found').textContent = 'Searching…'
  let found
  try {
    found = await ask(`/cache/entries?${query}`)
  } catch (error) {
    at('found').textContent = ''
    at('entries').replaceChildren(empty(error.message))
    return
  }
  const { entries, more } = found
  at('found').textContent = more
    ? `The first ${entries.length}; there are more.`
    : `${count(entries.length)} ${entries.length === 1 ? 'entry' : 'entries'}`
  if (entries.length === 0) return at('entries').replaceChildren(empty(text === '' ? 'The cache is empty.' : 'Nothing has this text.'))
  const content = { title: 'Content', cell: showButton }
  at('entries').replaceChildren(table('Entries', mayRead ? [...entryColumns, content] : entryColumns, entries))
}

function showButton({ key }) {
  const button = make('button', { type: 'button', class: 'small', 'aria-label': `Show the content of ${key.slice(0, 16)}` }, 'Show')
  button.addEventListener('click', () => showContent(key))
  return button
}

async function showContent(key) {
  const dialog = at('content-dialog')
  at('entry-content').textContent = 'Loading…'
  dialog.showModal()
  try {
    const { content } = await ask(`/cache/entries/${encodeURIComponent(key)}`)
    at('entry-content').textContent = pretty(content)
  } catch (error) {
    at('entry-content').textContent = error.message
  }
}

function pretty(content) {
  try {
    return JSON.stringify(JSON.parse(content), null, 2)
  } catch {
    return typeof content === 'string' ? content : JSON.stringify(content, null, 2)
  }
}
