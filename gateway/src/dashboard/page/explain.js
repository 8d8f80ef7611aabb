/** Why did this miss: the parts of a key, or the first difference between two requests. */
import { ask } from './ask.js'
import { at, make, scrolling, table } from './build.js'
import { seconds } from './write.js'

export function prepareExplanation() {
  at('explain-form').addEventListener('submit', (event) => {
    event.preventDefault()
    void explain(at('prompt').value, at('other').value)
  })
}

async function explain(prompt, other) {
  try {
    const answer = await ask('/cache/explain', { request: request(prompt), ...(other !== '' && { other: request(other) }) })
    at('explanation').replaceChildren(...(other === '' ? oneRequest(answer) : twoRequests(answer)))
  } catch (error) {
    at('explanation').replaceChildren(make('p', { class: 'wrong' }, error.message))
  }
}

function request(prompt) {
  const [model, operation] = [at('model').value.trim(), at('operation').value.trim()]
  return { prompt, ...(model !== '' && { model }), ...(operation !== '' && { operation }) }
}

function oneRequest({ key, parts, ttl }) {
  const columns = [
    { title: 'Part of the key', cell: ([name]) => name },
    { title: 'Value', cell: ([, value]) => make('code', {}, value) },
  ]
  return [
    ttl === null
      ? make('p', { class: 'wrong' }, 'It misses: nothing fresh is stored under this key.')
      : make('p', { class: 'good' }, `It hits: the answer is fresh for ${seconds(ttl)}.`),
    make('p', {}, 'Key ', make('code', {}, key)),
    scrolling('Parts of the key', table('Parts of the key', columns, Object.entries(parts))),
  ]
}

function twoRequests({ same, path, first, second }) {
  if (same) return [make('p', { class: 'good' }, 'Both have the same key: what one stores, the other hits.')]
  return [
    make('p', { class: 'wrong' }, 'They have different keys. The first difference is at ', make('code', {}, path ?? ''), '.'),
    make('p', {}, 'First: ', make('code', {}, first ?? 'nothing')),
    make('p', {}, 'Second: ', make('code', {}, second ?? 'nothing')),
  ]
}
