/**
 * Tables for the terminal, which are Markdown too.
 * @module
 */

/** A table: its header and its rows, each with as many cells. */
export interface Table {
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** The table as text. All columns but the first are aligned to the right, unless `left` names them. */
export function formatTable({ header, rows }: Table, left: readonly number[] = [0]): string {
  const widths = header.map((title, column) => Math.max(3, width(title), ...rows.map((row) => width(row[column] ?? ''))))
  const line = (cells: readonly string[]): string => {
    const padded = widths.map((wide, column) => {
      const cell = cells[column] ?? ''
      const space = ' '.repeat(Math.max(0, wide - width(cell)))
      return left.includes(column) ? cell + space : space + cell
    })
    return `| ${padded.join(' | ')} |`
  }
  const rule = widths.map((wide, column) => (left.includes(column) ? '-'.repeat(wide) : `${'-'.repeat(wide - 1)}:`))
  return [line(header), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n')
}

/** A number with three significant digits and no more decimals than these need: `0.0123`, `4.56`, `78.9`, `1,234`. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 100 || value === 0) return Math.round(value).toLocaleString('en-US')
  return value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(size))))
}

/** Microseconds in the unit that suits them. */
export function duration(microseconds: number): string {
  if (!Number.isFinite(microseconds)) return '–'
  if (Math.abs(microseconds) < 1_000) return `${digits(microseconds)} µs`
  if (Math.abs(microseconds) < 1_000_000) return `${digits(microseconds / 1_000)} ms`
  return `${digits(microseconds / 1_000_000)} s`
}

/** Bytes in the unit that suits them: KiB and MiB. */
export function bytes(count: number): string {
  if (Math.abs(count) < 1_024) return `${Math.round(count)} B`
  if (Math.abs(count) < 2 ** 20) return `${digits(count / 1_024)} KiB`
  return `${digits(count / 2 ** 20)} MiB`
}

/** Columns of a terminal that a text takes. What is shown here has one for each UTF-16 unit. */
function width(text: string): number {
  return text.length
}
