/**
 * Functions of the build, for tests.
 * @module
 */
import { existsSync } from 'node:fs'
import { onTestFinished } from 'vitest'
import { type LambdaFunction, startInstance } from './instance.ts'

export type { Invoked, LambdaFunction } from './instance.ts'

const root = new URL('../../../', import.meta.url).pathname

/** Starts a function, until the test ends. @param handler a path in the package and a name: `dist/lambda.httpHandler` */
export async function startFunction(handler: string, env: Readonly<Record<string, string>>): Promise<LambdaFunction> {
  if (!existsSync(`${root}dist/lambda.mjs`)) throw new Error('Build first: npm run build')
  const instance = await startInstance({ folder: root, handler, env })
  onTestFinished(() => instance.stop())
  return instance
}
