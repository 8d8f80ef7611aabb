/**
 * The handlers in each form in which a function is deployed, on the older Node.js that Lambda runs, and on the one that runs this.
 */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { describe, expect, it, onTestFinished } from 'vitest'
import { installOlderNode } from '../support/lambda/install-older-node.ts'
import { type Invoked, startInstance } from '../support/lambda/instance.ts'
import { surroundings } from '../support/lambda/surroundings.ts'
import { question } from '../support/provider.ts'

const root = new URL('../../../', import.meta.url).pathname
const older = installOlderNode()

/** What Lambda switches off. Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html */
const switchedOff = '--no-experimental-require-module --no-experimental-detect-module'
const versions = [
  { version: 22, node: older, options: switchedOff },
  { version: parseInt(process.versions.node), node: process.execPath, options: '' },
].filter(({ node }) => node !== undefined)

const exported = "export { httpHandler, streamHandler } from 'llmemo-gateway/lambda'"
const imported = `
const load = () => import('llmemo-gateway/lambda')
exports.httpHandler = async (event, context) => (await load()).httpHandler(event, context)
exports.streamHandler = awslambda.streamifyResponse(async (event, stream, context) => (await load()).streamHandler(event, stream, context))
`
const banner = { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" }

/** Puts the code of a function into a folder. */
async function write(folder: string, form: string): Promise<void> {
  const bundle = async (format: 'esm' | 'cjs', outfile: string): Promise<void> => {
    const stdin = { contents: exported, resolveDir: folder }
    const common = { stdin, bundle: true, platform: 'node', target: 'node22', logLevel: 'silent' } as const
    await build({ ...common, format, outfile: join(folder, outfile), ...(format === 'esm' && { banner }) })
    rmSync(join(folder, 'node_modules'))
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  if (form === 'an ES module') writeFileSync(join(folder, 'index.mjs'), exported)
  else if (form === 'a CommonJS module') writeFileSync(join(folder, 'index.cjs'), imported)
  else if (form === 'a bundle of ES modules') await bundle('esm', 'index.mjs')
  else await bundle('cjs', 'index.cjs')
}

function event(key: string, body: string): object {
  return {
    version: '2.0',
    rawPath: '/openai/v1/chat/completions',
    headers: { host: 'a.example', 'content-type': 'application/json', authorization: 'Bearer sk-test', 'x-llmemo-api-key': key },
    requestContext: { stage: '$default', http: { method: 'POST', sourceIp: '203.0.113.9' } },
    body,
    isBase64Encoded: false,
  }
}

/** Where an answer came from; the error, if there is none. */
function sourceOf({ bytes, failed }: Invoked): unknown {
  const end = bytes.indexOf(Buffer.alloc(8))
  const head = bytes.subarray(0, end === -1 ? bytes.length : end).toString()
  return failed ? head : JSON.parse(head).headers['x-llmemo-source']
}

const forms = ['an ES module', 'a CommonJS module', 'a bundle of ES modules', 'a bundle in CommonJS']

describe.each(versions)('on Node.js $version', ({ version, node, options }) => {
  it.each(forms)('%s misses and hits, whole and as a stream', async (form) => {
    const folder = mkdtempSync(join(tmpdir(), 'llmemo-function-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    await write(folder, form)
    const { provider, key, env } = await surroundings()
    const streamed = JSON.stringify({ ...JSON.parse(question('Streamed?')), stream: true })
    for (const [handler, body, source] of [
      ['httpHandler', question(), 'origin'],
      ['streamHandler', streamed, 'origin'],
      ['httpHandler', question(), 'dynamodb'],
      ['streamHandler', streamed, 'dynamodb'],
    ] as const) {
      const began = performance.now()
      const given = { ...env, NODE_OPTIONS: options }
      const instance = await startInstance({ folder, handler: `index.${handler}`, env: given, ...(node !== undefined && { node }) })
      onTestFinished(() => instance.stop())
      expect(sourceOf(await instance.invoke(event(key, body)))).toBe(source)
      const time = Math.round(performance.now() - began)
      console.log(`Node.js ${version}, ${form}, ${handler}, ${source}: ${time} ms from cold to the first answer`)
      expect(sourceOf(await instance.invoke(event(key, body)))).toBe('memory')
    }
    expect(provider.requests).toHaveLength(2)
  })
})
