/** Plots over time: SVG for the eye, and a table with the same figures for all. */
import { at, draw, empty, make, scrolling, table } from './build.js'

const [width, height, left, bottom, top] = [520, 190, 48, 22, 10]

/**
 * Draws points `{ label, value, text }` into the element with this id.
 * @param most the top of the scale; by default the largest value
 */
export function plot(id, { title, points, kind, most, scale }) {
  const place = at(id)
  const wasOpen = place.querySelector('details')?.open ?? false
  if (points.every(({ value }) => value === null || value === 0) && kind === 'columns') {
    return place.replaceChildren(empty('Nothing was saved in this time yet.'))
  }
  if (points.every(({ value }) => value === null)) return place.replaceChildren(empty('No calls in this time yet.'))
  const highest = most ?? niceAbove(Math.max(...points.map(({ value }) => value ?? 0)))
  const step = (width - left) / Math.max(1, points.length)
  const x = (index) => left + (index + 0.5) * step
  const y = (value) => top + (height - top - bottom) * (1 - value / highest)
  const marks = kind === 'columns' ? columns(points, { x, y, step }) : curve(points, { x, y })
  const lines = [0, 0.5, 1].map((share) => {
    const height = y(highest * share)
    return draw(
      'g',
      {},
      draw('line', { x1: left, x2: width, y1: height, y2: height, class: 'grid' }),
      draw('text', { x: left - 8, y: height + 4, 'text-anchor': 'end' }, scale(highest * share)),
    )
  })
  const shownLabels = [0, Math.floor((points.length - 1) / 2), points.length - 1].filter((each, index, all) => all.indexOf(each) === index)
  const labels = shownLabels.map((index) => {
    const anchor = points.length > 2 ? (index === 0 ? 'start' : index === points.length - 1 ? 'end' : 'middle') : 'middle'
    return draw('text', { x: x(index), y: height - 4, 'text-anchor': anchor }, points[index].label)
  })
  const last = points.findLast(({ value }) => value !== null)
  const picture = draw(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${title}: ${last.text} at ${last.label}. The table has all figures.` },
    ...lines,
    ...marks,
    ...labels,
  )
  const figures = table(
    title,
    [
      { title: 'Time', cell: ({ label }) => label },
      { title, number: true, cell: ({ text }) => text },
    ],
    points.toReversed(),
  )
  const details = make('details', {}, make('summary', {}, `${title} as a table`), scrolling(`${title} as a table`, figures))
  details.open = wasOpen
  place.replaceChildren(picture, details)
}

function curve(points, { x, y }) {
  const known = points.map(({ value, label, text }, index) => ({ value, label, text, index })).filter(({ value }) => value !== null)
  const line = known.map(({ value, index }) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`)
  const [first, last] = [known[0], known.at(-1)]
  return [
    draw('polygon', { points: [`${x(first.index)},${y(0)}`, ...line, `${x(last.index)},${y(0)}`].join(' '), class: 'area' }),
    draw('polyline', { points: line.join(' '), class: 'curve' }),
    ...known.map(({ value, index, label, text }) =>
      draw('circle', { cx: x(index), cy: y(value), r: known.length > 40 ? 1.5 : 3, class: 'part' }, draw('title', {}, `${label}: ${text}`)),
    ),
  ]
}

function columns(points, { x, y, step }) {
  const wide = Math.min(26, Math.max(1.5, step * 0.72))
  return points.map(({ value, label, text }, index) =>
    draw(
      'rect',
      { x: x(index) - wide / 2, y: y(value ?? 0), width: wide, height: y(0) - y(value ?? 0), rx: Math.min(3, wide / 3), class: 'column' },
      draw('title', {}, `${label}: ${text}`),
    ),
  )
}

/** The next number above that reads well. */
function niceAbove(value) {
  if (value === 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= value * 1.0001)
}
