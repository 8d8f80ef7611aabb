/**
 * The lines of docs/gateway.md, word by word but for the port, against the built program in front of a stand-in provider.
 */
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { completion } from '../../test/support/openai-answers.ts'
import { startProvider } from '../../test/support/provider-server.ts'

const page = readFileSync(new URL('../../docs/gateway.md', import.meta.url), 'utf8')
const run = promisify(execFile)
const top = new URL('../../', import.meta.url).pathname

/** What a script does after the build, which is there already. */
function lastCommand(script: string): string {
  const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'))
  return scripts[script]?.split(' && ').at(-1) ?? ''
}

it('shows commands that answer as it says', async () => {
  const provider = await startProvider((_request, reply) => reply.json(completion('It keeps answers.')))
  onTestFinished(() => provider.close())
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-gateway-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const env = {
    PATH: process.env['PATH'] ?? '',
    CACHE_STORE: `sqlite:${join(folder, 'answers.db')}`,
    LLMEMO_UPSTREAM_OPENAI: provider.url,
    LLMEMO_PRIVATE_HOSTS: '127.0.0.1',
  }
  const [, script = '', words = ''] = /```sh\nnpm run (\S+) -- (.*)\n/.exec(page) ?? []
  const child = spawn('sh', ['-c', `exec ${lastCommand(script)} ${words.replace('8787', '0')}`], { cwd: top, env, stdio: 'pipe' })
  onTestFinished(() => void child.kill('SIGKILL'))
  const url = await new Promise<string>((resolve) => {
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      const [, found] = /listens at (\S+)\n[^]*AWS_ENDPOINT/.exec(printed) ?? []
      if (found !== undefined) resolve(found)
    })
  })
  const examples = [...page.matchAll(/```sh\n(curl [^]*?)\n```\n\n```http\n([^]*?)\n```/g)]
  expect(examples).toHaveLength(3)
  for (const [, command = '', lines = ''] of examples) {
    const { stdout } = await run('sh', ['-c', command.replaceAll('http://127.0.0.1:8787', url)])
    for (const line of lines.split('\n')) {
      const [name = ''] = line.split(/[ :]/)
      const got = stdout.split('\r\n').find((each) => each.toLowerCase().startsWith(name.toLowerCase()))
      // Seconds that pass between the two requests make it less.
      expect(got?.replace(/ttl=\d+/, 'ttl=3600')).toBe(line)
    }
  }
})

it('is shown at work by the command of the README', async () => {
  const readme = readFileSync(join(top, 'README.md'), 'utf8')
  const [, script = ''] = /`npm run (gateway:\S+)` shows it at work/.exec(readme) ?? []
  const { stdout } = await run('sh', ['-c', lastCommand(script)], { cwd: top })
  expect([...stdout.matchAll(/cache-status: (llmemo; \S+)/g)].map(([, status]) => status)).toEqual(['llmemo; fwd=miss;', 'llmemo; hit;'])
})

it('names every variable that there is', () => {
  const source = readFileSync(new URL('../src/config/environment.ts', import.meta.url), 'utf8')
  const names = [...source.matchAll(/env\['([A-Z_]+)'\]/g)].map(([, name = '']) => name)
  expect(names.length).toBeGreaterThan(5)
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})
