/**
 * Tables and figures for a terminal of 80 columns.
 * @module
 */

const width = 80

/** A column of a table: its head and how wide it is. Figures stand at its right end. */
export interface Column {
  readonly head: string
  readonly width: number
  readonly isFigure?: boolean
}

/** The line of one row. What is too wide for its column is cut. */
export function row(columns: readonly Column[], cells: readonly string[]): string {
  return columns
    .map((column, index) => fit(printable(cells[index] ?? ''), column))
    .join('  ')
    .trimEnd()
}

/** The line of the heads of a table. */
export function heads(columns: readonly Column[]): string {
  return row(
    columns,
    columns.map(({ head }) => head),
  )
}

/** `text` on lines of 80 columns, those after the first one indented. A word that is longer than a line is broken. */
export function wrapped(text: string, indent = 0): string[] {
  const lines: string[] = []
  let line = ''
  const room = (): number => width - (lines.length === 0 ? 0 : indent)
  const end = (): void => {
    lines.push(`${' '.repeat(lines.length === 0 ? 0 : indent)}${line}`.trimEnd())
    line = ''
  }
  for (const given of printable(text).split(/(?<= )/)) {
    let word = given
    if (line !== '' && line.length + word.trimEnd().length > room()) end()
    while (word.trimEnd().length > room() - line.length) {
      const taken = room() - line.length
      line += word.slice(0, taken)
      word = word.slice(taken)
      end()
    }
    line += word
  }
  if (line !== '' || lines.length === 0) end()
  return lines
}

/** A name and what is said of it, on as many lines as it takes. */
export function described(name: string, text: string, indent = 11): string[] {
  return wrapped(`${name.padEnd(indent - 1)} ${text}`, indent)
}

/** Seconds in the greatest unit of which there are two. */
export function secondsText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} m`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`
}

/** What a store holds may have characters that move the cursor of a terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '?')
}

function fit(cell: string, { width: size, isFigure = false }: Column): string {
  if (cell.length > size) return `${cell.slice(0, size - 1)}…`
  return isFigure ? cell.padStart(size) : cell.padEnd(size)
}
