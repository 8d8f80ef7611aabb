/**
 * Modules of this folder that run in processes of their own, so that what they load or hold is theirs alone.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '..')

/** Runs a module of `rows/` with one JSON parameter to its end. @returns what it printed last, as JSON @throws when it fails */
export async function runChild(module: string, parameter: unknown, flags: readonly string[] = []): Promise<unknown> {
  const child = startChild(module, parameter, flags)
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${module} ended with ${code}: ${output}`)
  const last: unknown = JSON.parse(output.trim().split('\n').at(-1) ?? '')
  return last
}

/** Starts a module of `rows/` with one JSON parameter. It is killed when this process ends. */
export function startChild(module: string, parameter: unknown, flags: readonly string[] = []): ChildProcess {
  const parameters = [
    '--expose-gc',
    '--disable-warning=ExperimentalWarning',
    ...flags,
    join(folder, 'rows', module),
    JSON.stringify(parameter),
  ]
  const child = spawn(process.execPath, parameters, { stdio: ['pipe', 'pipe', 'inherit'] })
  const end = (): void => void child.kill('SIGKILL')
  process.once('exit', end)
  child.once('exit', () => process.off('exit', end))
  return child
}

/** The next line that a child prints. @throws when it ends instead */
export async function nextLine(child: ChildProcess): Promise<string> {
  let text = ''
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const ended = (code: number | null): void => reject(new Error(`a process ended with ${code}`))
  const take = (data: unknown): void => {
    text += String(data)
    if (!text.includes('\n')) return
    child.stdout?.off('data', take)
    child.off('exit', ended)
    resolve(text.trim())
  }
  child.stdout?.on('data', take)
  child.once('exit', ended)
  return promise
}

/** The parameter that this process was started with. Its shape is the starter's business. */
export function parameterOf(): unknown {
  return JSON.parse(process.argv[2] ?? 'null')
}

/** A member of an object that came as JSON, as a number. @throws {TypeError} when it is none */
export function numberIn(value: unknown, name: string): number {
  const member: unknown = Reflect.get(Object(value), name)
  if (typeof member !== 'number') throw new TypeError(`${name} is no number`)
  return member
}

/** A member of an object that came as JSON, as a text. @throws {TypeError} when it is none */
export function textIn(value: unknown, name: string): string {
  const member: unknown = Reflect.get(Object(value), name)
  if (typeof member !== 'string') throw new TypeError(`${name} is no text`)
  return member
}
