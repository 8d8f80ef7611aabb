/** Invalidation: first a look at what would go, then a confirmation of just that. */
import { ask } from './ask.js'
import { at, make, scrolling, table } from './build.js'
import { entryColumns } from './entries.js'
import { count } from './write.js'

function selector() {
  const [by, name] = [at('by').value, at('name').value.trim()]
  if (by === 'invalidateAll') return { invalidateAll: true }
  return { [by]: by === 'tags' ? [name] : name }
}

/** @param done called when something was removed */
export function prepareInvalidation(done) {
  at('by').addEventListener('change', () => {
    const isAll = at('by').value === 'invalidateAll'
    at('name').disabled = isAll
    at('name').required = !isAll
    forget()
  })
  at('name').addEventListener('input', forget)
  at('invalidate-form').addEventListener('submit', (event) => {
    event.preventDefault()
    void preview(selector(), done)
  })
}

async function preview(chosen, done) {
  try {
    showPreview(chosen, await ask('/cache/invalidate', { ...chosen, dryRun: true }), done)
  } catch (error) {
    tell(error.message, 'wrong')
  }
}

function forget() {
  at('preview').replaceChildren()
}

function tell(text, kind) {
  at('preview').replaceChildren(make('p', { class: kind }, text))
}

function showPreview(chosen, { count: number, entries, complete }, done) {
  const what = `${complete ? '' : 'at least '}${count(number)} ${number === 1 ? 'entry' : 'entries'}`
  if (number === 0) return tell('Nothing would go.', 'quiet')
  const confirm = make('button', { type: 'button', class: 'bad' }, `Invalidate ${what}`)
  const invalidate = async () => {
    confirm.disabled = true
    try {
      const { complete: isKnown } = await ask('/cache/invalidate', chosen)
      tell(isKnown ? `Done: ${what} outdated.` : 'Done here; not every tier knows of it yet.', 'good')
    } catch (error) {
      tell(error.message, 'wrong')
    }
    at('name').focus()
    await done()
  }
  confirm.addEventListener('click', () => void invalidate())
  const columns = entryColumns.slice(0, 4)
  at('preview').replaceChildren(
    make('p', {}, `This would outdate ${what}${number > entries.length ? `, of which these are ${entries.length}` : ''}:`),
    scrolling('What would go', table('What would go', columns, entries.slice(0, 10))),
    confirm,
  )
}
