/**
 * Tool calls: every step of a conversation is a call of its own, so a repeated conversation never calls the provider.
 * The tools themselves still run each time: only your program knows whether they may be skipped.
 * @module
 */
import { readFileSync } from 'node:fs'
import OpenAI from 'openai'
import { cacheInfo, createCache, withCache } from 'llmemo'
import { openProvider } from './provider.ts'
import { line, strong } from './report.ts'

const provider = await openProvider()
const cache = createCache({ ttl: '1d' })
const openai = withCache(new OpenAI(provider.options), cache)
console.log(strong(provider.description))

const packages = ['zod', 'fflate']

/** The tool: reads the licence of an installed package. It does not trust the model's arguments: it reads only known packages. */
function readLicence(text: string): string {
  const given: unknown = JSON.parse(text)
  const name = packages.find((each) => typeof given === 'object' && given !== null && Reflect.get(given, 'package') === each)
  console.log(`  tool: read_licence(${name ?? 'unknown'})`)
  return name === undefined
    ? 'There is no such package.'
    : readFileSync(new URL(`../node_modules/${name}/LICENSE`, import.meta.url), 'utf8')
}

const parameters = {
  type: 'object',
  properties: { package: { type: 'string', enum: packages, description: 'The name of the package' } },
  required: ['package'],
  additionalProperties: false,
}

async function ask(question: string): Promise<void> {
  console.log(`\n${strong(question)}`)
  const runner = openai.chat.completions.runTools({
    model: 'gpt-5-mini',
    messages: [{ role: 'user', content: question }],
    tools: [
      {
        type: 'function',
        function: { name: 'read_licence', description: 'Reads the licence of a package.', parameters, function: readLicence },
      },
    ],
  })
  runner.on('chatCompletion', (completion) => {
    // The runner copies the completions, so `cacheInfo` takes the runner: it describes the latest call.
    console.log(`  ${completion.choices[0]?.finish_reason ?? ''}: ${line(cacheInfo(runner))}`)
  })
  console.log(`  ${(await runner.finalContent()) ?? ''}`)
}

await ask('Does the licence of zod give a warranty?')
await ask('Does the licence of zod give a warranty?')
// Another question gets another answer, of course.
await ask('Who holds the copyright, by the licence of fflate?')
console.log(`\nThe provider was asked ${provider.calls()} times for ${cache.stats().hits + cache.stats().misses} steps.`)

await cache.close()
await provider.close()
