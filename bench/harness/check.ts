/**
 * Makes sure that what is measured as a hit is one, and looks whether callers share objects.
 * @module
 */
import type { Caller } from '../others/other.ts'
import type { Origin } from './origin.ts'
import type { Question } from './payload.ts'

/** Asks until the origin is not asked any more. @throws when that does not come about */
export async function fill(
  name: string,
  caller: Pick<Caller, 'ask'>,
  origin: Pick<Origin, 'calls'>,
  question: Question,
  expected: string,
): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const before = origin.calls()
    const answer = await caller.ask(question)
    if (!holds(answer, expected)) throw new Error(`${name} lost the answer`)
    if (attempt > 0 && origin.calls() === before) return
    // What is written behind the caller's back takes a moment.
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`${name} never hits`)
}

/** Whether two callers that hit get the same objects, so that a change by one caller is seen by the other. */
export async function sharesObjects(caller: Pick<Caller, 'ask'>, question: Question): Promise<boolean> {
  const first = new Set(objectsIn(await caller.ask(question)))
  return objectsIn(await caller.ask(question)).some((object) => first.has(object))
}

/** Whether `text` is somewhere in `answer`. */
function holds(answer: unknown, text: string): boolean {
  if (typeof answer === 'string') return answer.includes(text)
  return (
    JSON.stringify(answer).includes(JSON.stringify(text).slice(1, -1)) ||
    objectsIn(answer).some((object) => Object.values(object).includes(text))
  )
}

/** The arrays and the plain objects with content in `value`. Instances of a library's own classes are its own business, but what is in them is not. */
function objectsIn(value: unknown, found = new Set<object>(), depth = 0): object[] {
  if (typeof value !== 'object' || value === null || found.has(value) || depth > 6) return []
  found.add(value)
  for (const member of Object.values(value)) objectsIn(member, found, depth + 1)
  return [...found].filter((object) => Object.keys(object).length > 0 && !Object.isFrozen(object) && isAnswerPart(object))
}

/** What carries the text of the answer: that is what matters when it is shared. */
function isAnswerPart(object: object): boolean {
  return Object.values(object).some((member) => typeof member === 'string' && member.length > 60)
}
