#!/usr/bin/env node
/**
 * The program `llmemo`.
 * @module
 */
import { main } from './main.ts'

const { stdin, stdout, stderr } = process
// A reader such as `head` that has read enough ends the program, and is no fault.
stdout.on('error', () => process.exit(0))

const program = {
  env: process.env,
  input: stdin,
  out: (text: string): void | Promise<void> => {
    if (!stdout.write(`${text}\n`)) return new Promise((resolve) => stdout.once('drain', () => resolve()))
  },
  error: (text: string): void => void stderr.write(`${text}\n`),
  // The line is written over. Where the output is not a terminal, it would be among what is kept.
  ...(stderr.isTTY && { progress: (text: string): void => void stderr.write(`\r\u001B[K${text}`) }),
}
// Not awaited: CommonJS, which is built too, has no top-level await. `main` never rejects.
void main(process.argv.slice(2), program).then((code) => (process.exitCode = code))
