import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startBedrock } from '../../support/bedrock-server.ts'
import type { ProviderServer } from '../../support/provider-server.ts'
import { converseAnswer } from '../../support/bedrock-sdk.ts'

/** A function as it is deployed: one file, without a `node_modules` folder. */
const handler = `
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { withCache, cacheInfo } from 'llmemo'
const client = withCache(new BedrockRuntimeClient({
  region: 'us-east-1', endpoint: process.env.ENDPOINT, credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' },
}))
const handler = async (text) => {
  const messages = [{ role: 'user', content: [{ text }] }]
  const output = await client.send(new ConverseCommand({ modelId: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', messages }))
  const { hit, savedUsd, savedTokens } = cacheInfo(output)
  return { text: output.output.message.content[0].text, name: client.constructor.name, hit, savedUsd, savedTokens }
}
const main = async () => {
  const results = [await handler('Hi'), await handler('Hi')]
  process.stdout.write(JSON.stringify(results))
  client.destroy()
}
main()
`

describe('a bundled and minified function', () => {
  let folder: string
  let server: ProviderServer
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'llmemo-bundle-'))
    server = await startBedrock('h2', (_, reply) => reply.json(converseAnswer('In Germany.')))
  })
  afterAll(async () => {
    await server.close()
    await rm(folder, { recursive: true })
  })

  it.each(['cjs', 'esm'] as const)('P: recognises the client, answers from the cache, and knows the price (%s)', async (format) => {
    const root = fileURLToPath(new URL('../../../', import.meta.url))
    const outfile = join(folder, `handler.${format === 'cjs' ? 'cjs' : 'mjs'}`)
    await build({
      stdin: { contents: handler, resolveDir: root, loader: 'js' },
      outfile,
      bundle: true,
      minify: true,
      platform: 'node',
      format,
      tsconfig: join(root, 'tsconfig.json'),
      logLevel: 'error',
      // A bundle of CommonJS packages in ESM needs this banner.
      ...(format === 'esm' && { banner: { js: "import{createRequire as r}from'node:module';const require=r(import.meta.url);" } }),
    })
    await writeFile(join(folder, 'package.json'), '{}')
    const asked = server.requests.length
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [outfile], {
      cwd: folder,
      env: { ENDPOINT: server.url, PATH: process.env['PATH'] },
    })
    expect(stderr).toBe('')
    const answer = { text: 'In Germany.', savedTokens: 21 }
    const results: unknown = JSON.parse(stdout)
    expect(results).toMatchObject([
      { text: 'In Germany.', hit: false, savedUsd: 0 },
      // 9 tokens at 3.30 and 12 at 16.50 dollars for a million.
      { ...answer, hit: true, savedUsd: 0.0002277 },
    ])
    // The bundler has renamed the class, so its name must not matter.
    expect(stdout).not.toContain('BedrockRuntimeClient')
    expect(server.requests).toHaveLength(asked + 1)
  })
})
