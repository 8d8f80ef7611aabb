/**
 * The built program as a process of its own.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { type ProviderHandler, type ProviderServer, startProvider } from '../../../test/support/provider-server.ts'

const bin = new URL('../../dist/bin.mjs', import.meta.url).pathname

/** A folder until the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-gateway-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** How the program is started. */
export interface StartOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Where it is started, and has its file. @default a new folder */
  readonly folder?: string
  /** Flags of Node.js. */
  readonly flags?: readonly string[]
}

/** Starts the program, which ends with the test at the latest. */
export function start(words: readonly string[], { env = {}, folder, flags = [] }: StartOptions = {}): ChildProcessWithoutNullStreams {
  if (!existsSync(bin)) throw new Error('Build first: npm run build')
  const child = spawn(process.execPath, [...flags, bin, ...words], {
    cwd: folder ?? temporaryFolder(),
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: 'pipe',
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** Where the process listens, as it prints. */
export async function listens(child: ChildProcessWithoutNullStreams): Promise<string> {
  let printed = ''
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    printed += String(chunk)
    const [, url] = /listens at (http:\S+)\n/.exec(printed) ?? []
    if (url !== undefined) return url
  }
  throw new Error(`it does not listen: ${printed}${await text(child.stderr)}`)
}

/** The variables that put it in front of a stand-in provider. */
export function inFrontOf({ url }: Pick<ProviderServer, 'url'>): Record<string, string> {
  return { LLMEMO_UPSTREAM_OPENAI: url, LLMEMO_PRIVATE_HOSTS: '127.0.0.1' }
}

/** A stand-in provider of OpenAI's protocol, and the program in front of it. */
export async function gatewayProcess(
  handler: ProviderHandler,
  words: readonly string[] = [],
  folder?: string,
): Promise<{ readonly url: string; readonly child: ChildProcessWithoutNullStreams; readonly provider: ProviderServer }> {
  const provider = await startProvider(handler)
  onTestFinished(() => provider.close())
  const child = start(['--port', '0', ...words], { env: inFrontOf(provider), ...(folder !== undefined && { folder }) })
  return { url: await listens(child), child, provider }
}
