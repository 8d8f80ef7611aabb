#!/usr/bin/env node
/**
 * The program `llmemo`.
 * @module
 */
import { main } from './main.ts'

const terminal = {
  env: process.env,
  out: (text: string): void => void process.stdout.write(`${text}\n`),
  error: (text: string): void => void process.stderr.write(`${text}\n`),
}
// Not awaited: CommonJS, which is built too, has no top-level await. `main` never rejects.
void main(process.argv.slice(2), terminal).then((code) => (process.exitCode = code))
