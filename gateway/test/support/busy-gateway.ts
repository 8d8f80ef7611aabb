/**
 * A gateway that served some tenants for a month, within a second: its clock is turned by hand, and its provider takes time by turning it.
 */
import { type Clock, createCache } from 'llmemo'
import { createGateway, listen, readSettings } from 'llmemo-gateway'
import { sqliteStore } from 'llmemo/sqlite'
import { ManualClock } from 'llmemo/testing'
import { startProvider } from '../../../test/support/provider-server.ts'

/** A gateway at work. */
export interface BusyGateway {
  readonly url: string
  /** Asks the question of this number. */
  ask(number: number): Promise<void>
  close(): Promise<void>
}

/** What every question and answer holds, so that a test finds it where it must not be. */
export const secret = 'the plan for project Falcon'

const day = 86_400_000
const tenants = ['acme', 'globex', 'initech'] as const
const operations = ['support-answer', 'summarize', 'classify'] as const
const models = ['gpt-4o', 'gpt-4.1', 'gpt-4o-mini'] as const

/** Numbers that look random and are the same in each run, from 0 to 1. */
function numbers(): () => number {
  let state = 7
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

/** Starts it. @param options the file of its store, and the days of its past */
export async function startBusyGateway({ file, days }: { readonly file: string; readonly days: number }): Promise<BusyGateway> {
  const random = numbers()
  const manual = new ManualClock(Date.now() - days * day)
  const begun = performance.now()
  const passed = (): number => performance.now() - begun
  const clock: Clock = {
    now: () => manual.now() + passed(),
    monotonic: () => manual.monotonic() + passed(),
    after: (milliseconds, callback) => manual.after(milliseconds, callback),
  }
  const provider = await startProvider(({ body }, reply) => {
    manual.advance(350 + 1_200 * random() ** 3)
    const model = typeof body === 'object' && body !== null && 'model' in body ? String(body.model) : ''
    reply.json({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1,
      model,
      choices: [{ index: 0, message: { role: 'assistant', content: `This is ${secret}.` }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3_000, completion_tokens: 600, total_tokens: 3_600 },
    })
  })
  const store = sqliteStore(file)
  const cache = createCache({ store, clock, savings: true, ttl: '40d' })
  const gateway = createGateway({ cache, clock, upstreams: { openai: provider.url }, privateHosts: ['127.0.0.1'] })
  const server = await listen({
    ...gateway,
    settings: readSettings({ server: { port: 0 } }),
    clock,
  })

  const ask = async (number: number): Promise<void> => {
    const [tenant, operation, model] = [tenants[number % 3] ?? '', operations[(number >> 1) % 3] ?? '', models[(number >> 2) % 3] ?? '']
    const request = new Request('http://gateway/openai/v1/chat/completions', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: 'Bearer sk-any',
        'x-tenant-id': tenant,
        'x-llmemo-operation': operation,
        'x-llmemo-tags': `docs:${number % 5}`,
      },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: `Question ${number} about ${secret}` }] }),
    })
    const answer = await gateway.fetch(request)
    await answer.text()
    if (!answer.ok) throw new Error(`the gateway answered ${answer.status}`)
  }

  for (let passedDays = 1; passedDays < days; passedDays++) {
    for (let call = 0; call < 6 + passedDays; call++) await ask(Math.floor(260 * random() ** 2))
    manual.advance(day)
  }
  const untilNow = (): number => Date.now() - clock.now()
  manual.advance(Math.max(0, untilNow() - 7_200_000))
  for (; untilNow() > 60_000; manual.advance(60_000)) {
    for (let call = 0; call < 4; call++) await ask(Math.floor(300 * random() ** 2.5))
  }
  await cache.flush()
  return {
    url: `http://${server.host}:${server.port}`,
    ask,
    async close() {
      await gateway.close()
      await server.drain()
      await cache.close()
      await provider.close()
    },
  }
}
