/** Builds elements. Texts only, never markup: names come from requests. */
const svgNamespace = 'http://www.w3.org/2000/svg'

export const at = (id) => document.getElementById(id)

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

export const make = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children)

export const draw = (tag, attributes = {}, ...children) => fill(document.createElementNS(svgNamespace, tag), attributes, children)

/** A table. Each column is `{ title, cell(row), number? }`; the first one is the row's name. */
export function table(caption, columns, rows) {
  const cell = (column, row, index) =>
    make(index === 0 ? 'th' : 'td', { ...(index === 0 && { scope: 'row' }), ...(column.number && { class: 'number' }) }, column.cell(row))
  return make(
    'table',
    {},
    make('caption', { class: 'unseen' }, caption),
    make(
      'thead',
      {},
      make('tr', {}, ...columns.map(({ title, number }) => make('th', { scope: 'col', ...(number && { class: 'number' }) }, title))),
    ),
    make('tbody', {}, ...rows.map((row) => make('tr', {}, ...columns.map((column, index) => cell(column, row, index))))),
  )
}

/** A bar for a share from 0 to 1, which only shows what stands beside it. */
export function bar(share) {
  const size = { height: 8, rx: 4, y: 0 }
  return draw(
    'svg',
    { viewBox: '0 0 72 8', class: 'share', 'aria-hidden': 'true' },
    draw('rect', { ...size, width: 72, class: 'track' }),
    draw('rect', { ...size, width: Math.max(0, Math.min(1, share)) * 72, class: 'part' }),
  )
}

/** The bar and the text beside it. */
export const withBar = (share, text) => make('span', {}, bar(share), text)

export const empty = (text) => make('p', { class: 'empty' }, text)

/** A scrolling box that the keyboard reaches. */
export const scrolling = (label, child) => make('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label }, child)
