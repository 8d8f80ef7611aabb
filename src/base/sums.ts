/**
 * Sums by name, as one value of bytes: for stores that change a value in one step by themselves.
 * @module
 */

/** The sums in a value, with `amounts` added to them. */
export function addedSums(value: Uint8Array | undefined, amounts: Readonly<Record<string, number>>): Record<string, number> {
  const sums = new Map(value === undefined ? [] : sumsIn(new TextDecoder().decode(value)))
  for (const [name, amount] of Object.entries(amounts)) sums.set(name, (sums.get(name) ?? 0) + amount)
  return Object.fromEntries(sums)
}

/** Sums as a value. */
export function sumsValue(sums: Readonly<Record<string, number>>): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(sums))
}

function sumsIn(text: string): [string, number][] {
  try {
    const found: unknown = JSON.parse(text)
    return Object.entries(Object(found)).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  } catch {
    // Another program's value: nothing that could be added to.
    return []
  }
}
