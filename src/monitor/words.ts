/**
 * Figures as people read them.
 * @module
 */

/** A share as whole per cent; below ten with one decimal where it needs one. */
export function percentText(share: number): string {
  const percent = share * 100
  return `${percent >= 10 || Number.isInteger(percent) ? Math.round(percent) : percent.toFixed(1)} %`
}

/** Bytes in the greatest unit of which there is one. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = Math.abs(bytes)
  let unit = 0
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024
    unit++
  }
  return `${bytes < 0 ? '-' : ''}${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** Seconds in the greatest unit of which there is one. */
export function durationText(seconds: number): string {
  if (seconds < 1) return millisecondsText(seconds * 1_000)
  const units: readonly (readonly [number, string])[] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'm'],
    [1, 's'],
  ]
  const [size, unit] = units.find(([length]) => seconds >= length) ?? [1, 's']
  return `${Number((seconds / size).toFixed(seconds / size >= 10 ? 0 : 1))} ${unit}`
}

/** Milliseconds to about three digits; microseconds below one. */
export function millisecondsText(milliseconds: number): string {
  if (milliseconds === 0) return '0 ms'
  if (milliseconds < 1) return `${Number((milliseconds * 1_000).toPrecision(2))} µs`
  return milliseconds < 10_000 ? `${Number(milliseconds.toPrecision(3))} ms` : `${Number((milliseconds / 1_000).toPrecision(3))} s`
}

/** A count with its thousands apart. */
export function countText(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

/** US dollars, to the cent or to two digits. */
export function dollarsText(amount: number): string {
  if (amount === 0) return '$0'
  return `$${amount.toFixed(amount >= 1 ? 2 : Math.min(12, Math.max(2, 1 - Math.floor(Math.log10(amount)))))}`
}

/** A name of the user's own, on one line and not too long. */
export function oneLine(name: string, width = 40): string {
  const plain = name.replaceAll(/\p{C}/gu, '?')
  return plain.length > width ? `${plain.slice(0, width - 1)}…` : plain
}
