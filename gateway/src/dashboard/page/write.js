/** Figures as people read them. */
const whole = new Intl.NumberFormat('en')
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

export const count = (number) => (number < 100_000 ? whole.format(number) : short.format(number))

export const percent = (share) => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`

export function usd(amount) {
  if (amount === 0) return '$0'
  if (amount < 0.01) return `$${amount.toPrecision(2)}`
  return `$${amount < 1_000 ? amount.toFixed(2) : short.format(amount)}`
}

export function bytes(number) {
  for (const [unit, size] of [
    ['GB', 2 ** 30],
    ['MB', 2 ** 20],
    ['KB', 2 ** 10],
  ]) {
    if (number >= size) return `${(number / size).toFixed(1)} ${unit}`
  }
  return `${number} B`
}

/** Milliseconds. */
export function time(milliseconds) {
  if (milliseconds < 1) return milliseconds === 0 ? '0 ms' : `${milliseconds.toFixed(3)} ms`
  if (milliseconds < 1_000) return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`
  return seconds(milliseconds / 1_000)
}

export function seconds(number) {
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
  ]) {
    if (number >= size) return `${(number / size).toFixed(1)} ${unit}`
  }
  return `${number.toFixed(number < 10 ? 1 : 0)} s`
}

export const clock = (at) => new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
