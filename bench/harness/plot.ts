/**
 * Plots as SVG, without anything to draw them with: bars and lines, in colours that can be read on white and on black.
 * @module
 */
import { digits } from './table.ts'

/** One bar. */
export interface Bar {
  readonly name: string
  readonly value: number
  /** What stands behind it. */
  readonly label: string
  /** Whether it is llmemo's. */
  readonly isOurs: boolean
}

/** One line. */
export interface Line {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
  /** Whether it is llmemo's. */
  readonly isOurs?: boolean
}

/** An axis: its name, and whether each step multiplies. */
export interface Axis {
  readonly name: string
  readonly isLogarithmic: boolean
  /** How a value is written at it. */
  readonly format: (value: number) => string
}

const ink = '#808a96'
const ours = '#2f81f7'
const theirs = '#9aa4b0'
/** For the lines of others; none is blue. */
const colours = ['#d9822b', '#3fa34d', '#a371f7', '#e5534b', '#2aa198', '#d76ba4', '#b58900', '#808a96']
const font = 'font-family="ui-sans-serif, system-ui, Helvetica, Arial, sans-serif"'

/** Bars from the left, the shortest on top. */
export function barChart(title: string, subtitle: string, bars: readonly Bar[]): string {
  const sorted = bars.toSorted((one, other) => one.value - other.value)
  const width = 760
  const left = 190
  const step = 30
  const top = 64
  const room = width - left - 150
  const most = Math.max(...sorted.map(({ value }) => value))
  const rows = sorted.map(({ name, value, label, isOurs }, index) => {
    const y = top + index * step
    const length = Math.max(1, (value / most) * room)
    const weight = isOurs ? ' font-weight="700"' : ''
    return [
      write(left - 12, y + 15, name, `text-anchor="end"${weight}`),
      `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="20" rx="3" fill="${isOurs ? ours : theirs}"/>`,
      write(left + length + 8, y + 15, label, weight.trim()),
    ].join('\n')
  })
  return picture(width, top + sorted.length * step + 10, title, subtitle, rows)
}

/** Lines over two axes, each with its name at its right end. */
export function lineChart(title: string, subtitle: string, x: Axis, y: Axis, lines: readonly Line[]): string {
  const width = 760
  const height = 420
  const frame = { left: 84, right: width - 190, top: 72, bottom: height - 56 }
  const xs = lines.flatMap(({ points }) => points.map(([at]) => at))
  const ys = lines.flatMap(({ points }) => points.map(([, at]) => at))
  const across = scale(x, Math.min(...xs), Math.max(...xs), frame.left + 10, frame.right - 10, false)
  const up = scale(y, y.isLogarithmic ? Math.min(...ys) : 0, Math.max(...ys), frame.bottom, frame.top, true)
  const grid = [
    ...up.ticks.map((value) => {
      const at = up.place(value).toFixed(1)
      return `<path d="M${frame.left} ${at}H${frame.right}" stroke="${ink}" stroke-opacity="0.25"/>\n${write(frame.left - 8, Number(at) + 4, y.format(value), 'text-anchor="end"')}`
    }),
    ...[...new Set(xs)].map((value) => write(across.place(value), frame.bottom + 20, x.format(value), 'text-anchor="middle"')),
    write((frame.left + frame.right) / 2, height - 12, x.name, 'text-anchor="middle"'),
    write(14, (frame.top + frame.bottom) / 2, y.name, `text-anchor="middle" transform="rotate(-90 14 ${(frame.top + frame.bottom) / 2})"`),
  ]
  const ends = spread(
    lines.map(({ points }) => up.place(points.at(-1)?.[1] ?? 0)),
    15,
  )
  const drawn = lines.map(({ name, points, isOurs = false }, index) => {
    const colour = isOurs ? ours : (colours[lines.slice(0, index).filter((line) => line.isOurs !== true).length % colours.length] ?? ink)
    const places = points.map(([atX, atY]) => [across.place(atX).toFixed(1), up.place(atY).toFixed(1)] as const)
    const dots = places.map(([atX, atY]) => `<circle cx="${atX}" cy="${atY}" r="${isOurs ? 4 : 3}" fill="${colour}"/>`)
    const path = `<path d="M${places.map((place) => place.join(' ')).join('L')}" fill="none" stroke="${colour}" stroke-width="${isOurs ? 3 : 1.75}"/>`
    const label = write(frame.right + 12, (ends[index] ?? 0) + 4, name, `style="fill:${colour}"${isOurs ? ' font-weight="700"' : ''}`)
    return [path, ...dots, label].join('\n')
  })
  return picture(width, height, title, subtitle, [...grid, ...drawn])
}

/** Where values lie between two ends, and which of them are marked. @param isRound whether the ends are marks too */
function scale({ isLogarithmic }: Axis, least: number, most: number, start: number, end: number, isRound: boolean) {
  const by = isLogarithmic ? Math.log10 : (value: number): number => value
  const step = isLogarithmic ? 1 : niceStep(most - least)
  const low = isLogarithmic && isRound ? Math.floor(by(least)) : by(least)
  const high = isLogarithmic || !isRound ? by(most) : Math.ceil(most / step) * step
  const place = (value: number): number => start + ((by(value) - low) / (high - low || 1)) * (end - start)
  const count = Math.floor((high - low) / step + 1e-9) + 1
  const ticks = Array.from({ length: count }, (_, index) => (isLogarithmic ? 10 ** (low + index) : low + index * step))
  return { place, ticks }
}

/** A step of 1, 2 or 5 times a power of ten, of which about five make up the whole. */
function niceStep(whole: number): number {
  const power = 10 ** Math.floor(Math.log10(whole / 5 || 1))
  const steps = whole / 5 / power
  return power * (steps > 5 ? 10 : steps > 2 ? 5 : steps > 1 ? 2 : 1)
}

/** Moves places apart until there is `gap` between them, and keeps their order. */
function spread(places: readonly number[], gap: number): number[] {
  const order = places.map((place, index) => ({ place, index })).toSorted((one, other) => one.place - other.place)
  for (let time = 0; time < 50; time++) {
    for (const [index, lower] of order.entries()) {
      const above = order[index - 1]
      if (above === undefined || lower.place - above.place >= gap) continue
      const middle = (lower.place + above.place) / 2
      above.place = middle - gap / 2
      lower.place = middle + gap / 2
    }
  }
  return places.map((_, wanted) => order.find(({ index }) => index === wanted)?.place ?? 0)
}

function picture(width: number, height: number, title: string, subtitle: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${font} font-size="13" fill="${ink}" role="img">`,
    `<title>${escape(title)}</title>`,
    write(16, 26, title, 'font-size="16" font-weight="700"'),
    write(16, 46, subtitle, 'font-size="12"'),
    ...parts,
    '</svg>\n',
  ].join('\n')
}

function write(x: number, y: number, text: string, attributes = ''): string {
  return `<text x="${Number(x.toFixed(1))}" y="${Number(y.toFixed(1))}"${attributes === '' ? '' : ` ${attributes}`}>${escape(text)}</text>`
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Values at an axis as they are. */
export const plain = (value: number): string => digits(value)
