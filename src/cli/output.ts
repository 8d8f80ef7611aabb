/**
 * What a command prints: lines for a person, or JSON. Each is written as it comes, so that a list may be longer than memory.
 * @module
 */
import { countText } from '../monitor/words.ts'

/** Where the command line writes. */
export interface Terminal {
  /** Writes a line. What it returns is waited for, so that a slow reader holds the program back instead of filling its memory. */
  out(text: string): void | Promise<void>
  error(text: string): void
  /** Shows how far a command is, in place of what it showed before; an empty text at its end. @default it is not shown */
  progress?(text: string): void
}

/** A list that is printed member by member. */
export interface PrintedList {
  /** @param line for a person; under `--json` the member itself is printed. */
  add(member: unknown, line: string): Promise<void>
  /** Prints the end of the list. @param lines for a person only */
  end(...lines: readonly string[]): Promise<void>
}

/** How often progress is shown: after so many entries. */
const entriesPerProgress = 1_000

/** Prints what a command finds. */
export class Output {
  readonly #terminal: Terminal
  readonly #isJson: boolean
  #seen = 0
  #hasProgress = false

  constructor(terminal: Terminal, isJson: boolean) {
    this.#terminal = terminal
    this.#isJson = isJson
  }

  /** Prints one result: under `--json` the data, else the lines. */
  async result(data: unknown, lines: readonly string[]): Promise<void> {
    await this.line(this.#isJson ? JSON.stringify(data, undefined, 2) : lines.join('\n'))
  }

  /** Prints a line. */
  async line(text: string): Promise<void> {
    this.#clear()
    await this.#terminal.out(text)
  }

  /** Begins a list. @param head lines before it, for a person only, if it has any member */
  list(head: readonly string[] = []): PrintedList {
    let count = 0
    return {
      add: async (member, line) => {
        const isFirst = count++ === 0
        if (this.#isJson) return this.line(`${isFirst ? '[\n  ' : ', '}${JSON.stringify(member)}`)
        if (isFirst) for (const each of head) await this.line(each)
        return this.line(line)
      },
      end: async (...lines) => {
        if (this.#isJson) return this.line(count === 0 ? '[]' : ']')
        for (const each of lines) await this.line(each)
      },
    }
  }

  /** Tells that one more entry was looked at. */
  seen(doing = 'read'): void {
    if (++this.#seen % entriesPerProgress !== 0 || this.#terminal.progress === undefined) return
    this.#hasProgress = true
    this.#terminal.progress(`${countText(this.#seen)} entries ${doing}`)
  }

  /** Ends the printing. */
  end(): void {
    this.#clear()
  }

  #clear(): void {
    if (this.#hasProgress) this.#terminal.progress?.('')
    this.#hasProgress = false
  }
}
