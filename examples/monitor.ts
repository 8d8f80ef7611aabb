/**
 * A monitor: what the cache does over time, what it saves, and what to do about it. For people, for Prometheus and for CloudWatch.
 * @module
 */
import OpenAI from 'openai'
import { createCache, withCache } from 'llmemo'
import { createMonitor } from 'llmemo/monitor'
import { openProvider } from './provider.ts'
import { strong } from './report.ts'

const provider = await openProvider()
console.log(provider.description)

const cache = createCache({ ttl: { default: '1h', qa: '30m' } })
const monitor = createMonitor(cache, { thresholds: { hitRate: 0.9, leastCalls: 10 } })
monitor.on('warning', ({ text }) => console.log(`warning: ${text}`))

const openai = withCache(new OpenAI(provider.options), cache)
const questions = ['Who holds the copyright?', 'Must I keep the copyright notice in all copies?', 'May I sell it?']

async function ask(question: string, operation: string): Promise<void> {
  await openai.chat.completions.create(
    { model: 'gpt-5-mini', messages: [{ role: 'user', content: question }] },
    { cache: { operation, tags: ['licence'] } },
  )
}

for (const operation of ['summarize', 'qa']) {
  for (const question of [...questions, ...questions, questions[0] ?? '']) await ask(question, operation)
}
await cache.invalidate({ tags: ['licence'] })
await ask(questions[0] ?? '', 'qa')

const report = monitor.report({ since: '10m' })
console.log(strong('\nThe report'))
console.log(String(report))

console.log(strong('\nFor Prometheus (the first lines)'))
console.log(monitor.prometheus().split('\n').slice(0, 4).join('\n'))

console.log(strong('\nFor CloudWatch: process.stdout.write(monitor.emf()) at the end of a Lambda handler'))
console.log(monitor.emf({ service: 'licences' }))

monitor.close()
await cache.close()
await provider.close()
