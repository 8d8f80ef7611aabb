/**
 * Cases of recordings for tests. Prompts are shown to who replays them, and nothing else is.
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCache } from '../../../src/cache/cache.ts'
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import { forRecordings, refusedCall } from '../../../src/engine/settings/recorded.ts'
import { readSwitches } from '../../../src/engine/settings/switches.ts'
import { recordingsOf } from '../../../src/key/recordings.ts'
import { cassetteIn } from '../../../src/testing/cassettes/cassette.ts'
import { cassetteStore, testCassettes } from '../../../src/testing/index.ts'
import type { Cases, Issuer } from './issuer.ts'
import { secret } from './marker.ts'
import { mistaken } from './mistaken.ts'

const password = secret('password')

/** Runs `action` where the environment asks for this mode. */
async function withMode(mode: string, action: () => unknown): Promise<void> {
  const before = process.env['LLMEMO_MODE']
  process.env['LLMEMO_MODE'] = mode
  try {
    await action()
  } finally {
    if (before === undefined) delete process.env['LLMEMO_MODE']
    else process.env['LLMEMO_MODE'] = before
  }
}

async function replayed(issuer: Issuer): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'llmemo-secrets-'))
  const cache = issuer.cache({ store: cassetteStore(folder), mode: 'replay' })
  const headers = { authorization: `Bearer ${secret('key')}`, 'openai-organization': secret('token'), 'x-own': secret('name') }
  const fetch = cachingFetch(cache)
  for (const path of ['chat/completions', `unknown`]) {
    const response = await fetch(`https://user:${password}@host/v1/${path}?api_key=${secret('url')}`, {
      method: 'POST',
      headers,
      body: '{}',
    })
    issuer.keep('answer', await response.text())
  }
  rmSync(folder, { recursive: true })
}

export const cassetteCases: Cases = {
  'src/engine/settings/recorded.ts': [
    {
      name: 'a key of encryption',
      run: (issuer) => issuer.refused(() => forRecordings({ encryption: mistaken(password) }, recordingsOf(cassetteStore('a')))),
    },
    { name: 'a call that is refused', run: replayed },
    {
      name: 'an error of a refusal',
      run: (issuer) => {
        const recordings = recordingsOf(cassetteStore('a'))
        issuer.keep('returned', refusedCall({ recordings, switches: readSwitches({ mode: 'replay' }, recordings) }, 'background'))
      },
    },
  ],
  'src/engine/settings/switches.ts': [
    { name: 'a mode of recordings without any', run: (issuer) => issuer.refused(() => createCache({ mode: 'replay' })) },
    { name: 'no mode', run: (issuer) => issuer.refused(() => createCache({ mode: mistaken(password) })) },
  ],
  'src/testing/cassettes/cassette.ts': [{ name: 'a damaged file', run: (issuer) => issuer.refused(() => cassetteIn(`{"${password}"`)) }],
  'src/testing/cassettes/store.ts': [
    { name: 'a folder', run: (issuer) => issuer.refused(() => cassetteStore(mistaken([password]))) },
    { name: 'what scrubs', run: (issuer) => issuer.refused(() => cassetteStore('a', { scrub: mistaken(password) })) },
    {
      name: 'a mode of the environment',
      run: (issuer) => withMode(password, () => issuer.refused(() => createCache({ store: cassetteStore('a') }))),
    },
  ],
  'src/testing/cassettes/test-cassettes.ts': [
    { name: 'a file', run: (issuer) => issuer.refused(() => testCassettes({ file: '' })) },
    {
      name: 'the list of unused files',
      run(issuer) {
        const folder = mkdtempSync(join(tmpdir(), 'llmemo-secrets-'))
        mkdirSync(join(folder, '__cassettes__/b.test'), { recursive: true })
        writeFileSync(join(folder, '__cassettes__/b.test/chat-hi-00000000.json'), password)
        const { warn } = console
        console.warn = (text: string) => issuer.keep('log line', text)
        testCassettes({ file: join(folder, 'b.test.ts'), afterAll: (hook) => hook() })
        console.warn = warn
        rmSync(folder, { recursive: true })
      },
    },
  ],
}
