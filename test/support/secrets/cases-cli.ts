/**
 * Cases of the command line: a secret in each place where one can be typed, in the environment, and in what a store holds.
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCache, engineOf } from '../../../src/cache/cache.ts'
import { readCommandLine } from '../../../src/cli/arguments.ts'
import { commands } from '../../../src/cli/commands.ts'
import { main } from '../../../src/cli/main.ts'
import { Output } from '../../../src/cli/output.ts'
import { sqliteStore } from '../../../src/stores/sqlite/store.ts'
import { answer, question } from '../chat.ts'
import type { Cases, Issuer } from './issuer.ts'
import { secret } from './marker.ts'
import { mistaken } from './mistaken.ts'
import { putPortable } from '../../../src/cache/portable-entries.ts'

const password = secret('password')
const address = `redis://user:${password}@127.0.0.1:1`

/** Keeps what a command line prints, and how it ends. */
async function typed(issuer: Issuer, args: readonly string[], env: Readonly<Record<string, string>> = { CACHE_STORE: 'memory:' }) {
  await issuer.console(async () => {
    const code = await main(args, {
      env,
      out: (text) => issuer.keep('output', text),
      error: (text) => issuer.keep('line of errors', text),
    })
    issuer.keep('exit code', code)
  })
}

/** Keeps what commands print of a store that holds an entry with a secret prompt, answer and context. */
async function overAnswers(issuer: Issuer, linesOf: (key: string) => readonly (readonly string[])[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-cli-secrets-'))
  const store = join(folder, 'answers.db')
  try {
    const cache = createCache({ store: sqliteStore(store), scope: 'tenant', logger: false, prices: false })
    const { key } = await cache.store(question(secret('prompt'), { operation: 'qa', context: secret('context') }), answer(secret('answer')))
    await cache.close()
    for (const line of linesOf(key)) await typed(issuer, [...line, '--store', `sqlite:${store}`])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Keeps what a command throws when it is called as it is. */
async function refusedCommand(issuer: Issuer, args: readonly string[]): Promise<void> {
  const cache = issuer.cache()
  const { command, operands, options } = readCommandLine(args)
  const output = new Output({ out: (text) => issuer.keep('output', text), error: () => undefined }, options.json)
  await issuer.refused(() => commands[command]?.({ cache, operands, options, output }))
  await cache.close()
}

/** Keeps what a command says of a file. */
async function overFile(issuer: Issuer, content: string, args: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-cli-file-'))
  try {
    const path = join(folder, 'file.json')
    writeFileSync(path, content)
    await typed(issuer, [...args, path])
    const { command, operands, options } = readCommandLine([...args, path])
    const cache = issuer.cache()
    const output = new Output({ out: (text) => issuer.keep('output', text), error: () => undefined }, false)
    await issuer.outcome(() => commands[command]?.({ cache, operands, options, output }))
    await cache.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The cases of these files. */
export const cliCases: Cases = {
  'src/cli/arguments.ts': [
    { name: 'a limit that is a secret', run: (issuer) => issuer.refused(() => readCommandLine(['ls', '--limit', password])) },
    {
      name: 'ages that are secrets',
      async run(issuer) {
        await typed(issuer, ['ls', '--older-than', password])
        await typed(issuer, ['prune', '--younger-than', password])
      },
    },
    ...[[`--${address}`], [`--stroe=${address}`], [`-${password}`], [`--${password}`, '--store'], ['ls', `--json=${password}`]].map(
      (args) => ({
        name: `an option that cannot be: ${args.join(' ').replaceAll(password, '…')}`,
        async run(issuer: Issuer) {
          await issuer.refused(() => readCommandLine(args))
          await typed(issuer, args)
        },
      }),
    ),
    {
      name: 'an option without its value',
      async run(issuer) {
        await issuer.refused(() => readCommandLine(['ls', password, '--store']))
        await issuer.refused(() => readCommandLine(['ls', '--store', `--${address}`]))
      },
    },
  ],
  'src/cli/change.ts': [
    { name: 'two selectors', run: (issuer) => refusedCommand(issuer, ['invalidate', '--tag', password, '--key', password]) },
    {
      name: 'tags and models that are secrets',
      async run(issuer) {
        await typed(issuer, ['invalidate', '--tag', password, '--yes'])
        await typed(issuer, ['invalidate', '--model', `${password}\uD800`, '--yes'])
      },
    },
  ],
  'src/cli/look.ts': [
    { name: 'show without a key', run: (issuer) => refusedCommand(issuer, ['show', '--scope', password]) },
    { name: 'a key that is a secret', run: (issuer) => typed(issuer, ['show', password]) },
    {
      name: 'what a store holds, where no body is asked for',
      run: (issuer) =>
        overAnswers(issuer, (key) => [
          ['stats'],
          ['ls'],
          ['ls', '--json'],
          ['show', key],
          ['export'],
          ['doctor'],
          ['prune', '--older-than', '1ms', '--yes'],
        ]),
    },
  ],
  'src/cli/savings.ts': [{ name: 'a way that is a secret', run: (issuer) => refusedCommand(issuer, ['savings', '--by', password]) }],
  'src/cli/transfer.ts': [
    { name: 'no file', run: (issuer) => refusedCommand(issuer, ['import', '--scope', password]) },
    { name: 'an address in the place of a file', run: (issuer) => refusedCommand(issuer, ['import', address]) },
    {
      name: 'something else in the place of a cache',
      async run(issuer) {
        const line = { ...readCommandLine(['export']), output: new Output({ out: () => undefined, error: () => undefined }, false) }
        await issuer.refused(() => commands['export']?.({ ...line, cache: mistaken({ [password]: password }) }))
      },
    },
    { name: 'lines that are no entries', run: (issuer) => overFile(issuer, `${password}\n{"llmemo":1,"key":"${password}"}`, ['import']) },
  ],
  'src/cli/explain.ts': [
    { name: 'no file', run: (issuer) => refusedCommand(issuer, ['explain', '--scope', password]) },
    { name: 'an address in the place of a file', run: (issuer) => refusedCommand(issuer, ['explain', address]) },
    ...[password, `["${password}"]`, `{"${password}":"${password}"}`, `{"endpoint":"${password}","body":{}}`].map((content, index) => ({
      name: `a file that is no request: ${index}`,
      run: (issuer: Issuer) => overFile(issuer, content, ['explain']),
    })),
  ],
  'src/cache/portable-entries.ts': [
    {
      name: 'entries that cannot be imported',
      async run(issuer) {
        const cache = issuer.cache()
        const engine = engineOf(cache)
        if (engine === undefined) throw new Error('there is no engine')
        for (const value of [password, { llmemo: password }, { llmemo: 1, labels: [password], key: password }]) {
          await issuer.refused(() => putPortable(engine, value))
        }
        await cache.close()
      },
    },
  ],
  'src/cli/main.ts': [
    {
      name: 'an address in the place of the command',
      async run(issuer) {
        await typed(issuer, [address])
        await typed(issuer, [password, '--store', address])
      },
    },
    { name: 'no command', run: (issuer) => typed(issuer, ['--store', address]) },
    ...[...Object.keys(commands).map((name) => [name]), ['prune', '--yes'], ['invalidate', '--all', '--yes']].map((args) => ({
      name: `a Redis that is not there: ${args.join(' ')}`,
      async run(issuer: Issuer) {
        await typed(issuer, [...args, '--store', address])
        await typed(issuer, [...args, '--json'], { REDIS_URL: address })
      },
    })),
    ...[`redis://user:${password}@`, `http://user:${password}@host`, `${password}!`, `sqlite:/${password}/${password}/answers.db`].map(
      (store) => ({
        name: `a store that cannot be: ${store.replaceAll(password, '…')}`,
        run: (issuer: Issuer) => typed(issuer, ['ls', '--store', store, '--namespace', `${password}\uD800`]),
      }),
    ),
    {
      name: 'a store that is not there',
      run: (issuer) => typed(issuer, ['ls', '--store', `sqlite:/dev/null/${password}/answers.db`]),
    },
    { name: 'no store', run: (issuer) => typed(issuer, ['ls', '--tag', password]) },
    {
      name: 'a store that cannot be opened',
      run: (issuer) => typed(issuer, ['import', '-', '--store', `sqlite:/dev/null/${password}/answers.db`]),
    },
  ],
}
