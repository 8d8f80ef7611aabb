/**
 * A hit through each client, beside the same call of the SDK's own with a `fetch` that answers at once, and beside the others.
 * @module
 */
import Anthropic from '@anthropic-ai/sdk'
import { ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import OpenAI from 'openai'
import { withCache } from '../../dist/index.mjs'
import { messagesInput } from '../harness/anthropic.ts'
import { converseInput, instantBedrock } from '../harness/bedrock.ts'
import { budgetSize, type Prepared, ratioAt, sweep, sweepFigures, sweepTable } from '../harness/by-size.ts'
import { fill, sharesObjects } from '../harness/check.ts'
import { floor, floorName } from '../harness/floor.ts'
import type { Contender } from '../harness/measure.ts'
import { originOf } from '../harness/origin.ts'
import { asked, chatAnswer, converseAnswer, messageAnswer, question } from '../harness/payload.ts'
import type { Budget, Row } from '../harness/report.ts'
import { everyone } from '../others/index.ts'

const sdk = 'SDK, instant fetch'
const ours = 'llmemo'
const seam = 'llmemo, documented seam'
/** With options for `fetch` of its own, a client is answered by the seam that its SDK documents, and never before its request is built. */
const bySeam = { fetchOptions: { redirect: 'follow' } } as const

/** Hot hit through each wrapped client. */
export const clientHit: Row = {
  name: 'client-hit',
  title: 'Hot hit through a client',
  async run(run) {
    const sharing = new Set<string>()
    const openai = await sweep(run, (size) => openaiCallers(size, sharing))
    const anthropic = await sweep(run, anthropicCallers)
    const bedrock = await sweep(run, bedrockCallers)
    const budgets = (
      [
        ['OpenAI', openai],
        ['Anthropic', anthropic],
      ] as const
    ).flatMap(([name, timings]): Budget[] => [
      {
        what: `hot hit, ${name} client, 2 KB, beside the SDK's own cost`,
        measured: ratioAt(timings, budgetSize, ours, sdk),
        limit: 0.4,
        unit: '×',
      },
      {
        what: `hot hit, ${name} client, 2 KB, beside the floor`,
        measured: ratioAt(timings, budgetSize, ours, floorName),
        limit: 3,
        unit: '×',
      },
      {
        what: `hot hit, ${name} client, documented seam, 2 KB, beside the SDK's own cost`,
        measured: ratioAt(timings, budgetSize, seam, sdk),
        limit: 1.2,
        unit: '×',
      },
    ])
    const ofBedrock = ratioAt(bedrock, budgetSize, ours, floorName)
    return {
      tables: [
        { caption: `OpenAI's chat completions. × is beside the SDK with an instant fetch.`, table: sweepTable(openai, sdk) },
        { caption: `Anthropic's messages.`, table: sweepTable(anthropic, sdk) },
        { caption: `Bedrock's Converse.`, table: sweepTable(bedrock, sdk) },
      ],
      notes: [
        `Hands the same object to every caller, not copied: ${sharing.size === 0 ? 'none' : [...sharing].join(', ')}.`,
        'The AI SDK and LangChain ask in their own words, by clients of their own: their answers are other objects, with more in them.',
      ],
      budgets: [...budgets, { what: 'hot hit, Bedrock client, 2 KB, beside the floor', measured: ofBedrock, limit: 3, unit: '×' }],
      figures: {
        openai: sweepFigures(openai, sdk),
        anthropic: sweepFigures(anthropic, sdk),
        bedrock: sweepFigures(bedrock, sdk),
        uncopied: [...sharing],
      },
    }
  },
}

async function openaiCallers(size: number, sharing: Set<string>): Promise<Prepared> {
  const one = question(size)
  const answer = chatAnswer(size)
  const whole = JSON.stringify(answer)
  const bare = new OpenAI({ apiKey: 'sk-bench', fetch: originOf({ whole }).fetch })
  const contenders: Contender[] = [floor(() => asked(one), whole), { name: sdk, run: async () => bare.chat.completions.create(asked(one)) }]
  const closers: (() => Promise<void> | void)[] = []
  for (const other of everyone) {
    const origin = originOf({ whole })
    const caller = await other.memory?.(origin)
    if (caller === undefined) continue
    await fill(other.name, caller, origin, one, answer.choices[0]?.message.content ?? '')
    if (await sharesObjects(caller, one)) sharing.add(other.name)
    contenders.push({ name: other.name, run: async () => caller.ask(one) })
    closers.push(() => caller.close())
  }
  const origin = originOf({ whole })
  const wrapped = withCache(new OpenAI({ apiKey: 'sk-bench', fetch: origin.fetch, ...bySeam }))
  const ask = async () => wrapped.chat.completions.create(asked(one))
  await ask()
  const { _cache } = await ask()
  if (_cache.source !== 'memory' || origin.calls() !== 1) throw new Error("the OpenAI client's seam did not hit")
  contenders.push({ name: seam, run: ask })
  return {
    contenders,
    async close() {
      for (const close of closers) await close()
    },
  }
}

async function anthropicCallers(size: number): Promise<Prepared> {
  const one = question(size)
  const whole = JSON.stringify(messageAnswer(size))
  const origin = originOf({ whole })
  const bare = new Anthropic({ apiKey: 'sk-bench', fetch: originOf({ whole }).fetch })
  const wrapped = withCache(new Anthropic({ apiKey: 'sk-bench', fetch: origin.fetch }))
  const ask = async () => wrapped.messages.create(messagesInput(one))
  await ask()
  const { _cache } = await ask()
  if (_cache.source !== 'memory' || origin.calls() !== 1) throw new Error('the Anthropic client did not hit')
  const seamed = withCache(new Anthropic({ apiKey: 'sk-bench', fetch: originOf({ whole }).fetch, ...bySeam }))
  const askSeam = async () => seamed.messages.create(messagesInput(one))
  await askSeam()
  if ((await askSeam())._cache.source !== 'memory') throw new Error("the Anthropic client's seam did not hit")
  return {
    contenders: [
      floor(() => messagesInput(one), whole),
      { name: sdk, run: async () => bare.messages.create(messagesInput(one)) },
      { name: ours, run: ask },
      { name: seam, run: askSeam },
    ],
  }
}

async function bedrockCallers(size: number): Promise<Prepared> {
  const one = question(size)
  const whole = JSON.stringify(converseAnswer(size))
  const bare = instantBedrock(whole)
  const asking = instantBedrock(whole)
  const wrapped = withCache(asking.client)
  const ask = async () => wrapped.send(new ConverseCommand(converseInput(one)))
  await ask()
  const { _cache } = await ask()
  if (_cache.source !== 'memory' || asking.calls() !== 1) throw new Error('the Bedrock client did not hit')
  return {
    contenders: [
      floor(() => converseInput(one), whole),
      { name: sdk, run: async () => bare.client.send(new ConverseCommand(converseInput(one))) },
      { name: ours, run: ask },
    ],
  }
}
