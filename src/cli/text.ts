/**
 * Tables and figures for a terminal of 80 columns.
 * @module
 */

const width = 80

/** The lines of a table. Columns that are too wide for the terminal are cut, the widest first. */
export function table(head: readonly string[], cells: readonly (readonly string[])[]): string[] {
  const rows = [head, ...cells].map((row) => row.map((cell) => cell.replaceAll(/\p{C}/gu, '?')))
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const used = (): number => widths.reduce((sum, each) => sum + each + 2, -2)
  while (used() > width) {
    const widest = widths.indexOf(Math.max(...widths))
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return rows.map((row) =>
    row
      .map((cell, column) => fit(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function fit(cell: string, size: number): string {
  return cell.length > size ? `${cell.slice(0, size - 1)}…` : cell.padEnd(size)
}

/** Seconds in the greatest unit of which there are two. */
export function secondsText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} m`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`
}
