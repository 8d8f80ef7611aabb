import { describe, expect, it } from 'vitest'
import { cachingFetch } from '../../../src/clients/with-cache.ts'
import { answer, openCache, question, settle, textIn } from '../../support/chat.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { ScriptedStore } from '../../support/scripted-store.ts'

/** Two caches over one store on one clock, as two processes have it. */
function twoProcesses() {
  const clock = new ManualClock()
  const store = new ScriptedStore()
  const options = { clock, store, maxMemoryTtl: '1h' } as const
  return { clock, store, here: openCache(options).cache, there: openCache(options).cache }
}

/**
 * The first read of the store answers after 90 of its 100 milliseconds, and the call needs a second read, which never answers.
 * @returns the result, which is there when the deadline of the first read is over
 */
async function withSlowReads<Result>({ clock, store }: ReturnType<typeof twoProcesses>, call: () => Promise<Result>): Promise<Result> {
  const state: { result?: { readonly value: Result } } = {}
  store.reads = 'held'
  store.calls.length = 0
  const running = (async () => {
    state.result = { value: await call() }
  })()
  await settle()
  const first = store.count('get')
  clock.advance(90)
  store.reads = 'never'
  store.release()
  await settle()
  expect(store.count('get')).toBeGreaterThan(first)
  clock.advance(9)
  await settle()
  expect(state.result).toBeUndefined()
  clock.advance(1)
  await settle()
  if (state.result === undefined) throw new Error('the call waits for longer than one read deadline')
  await running
  return state.result.value
}

describe('one read deadline', () => {
  it('I2 holds for a copy in memory that turns out to be invalidated, and the entry that is then read in its place', async () => {
    const processes = twoProcesses()
    const { clock, here, there } = processes
    await here.store(question(), answer())
    await here.flush()
    // Until now this process has no reason to ask the store about its copy, except for what was invalidated.
    clock.advance(2_000)
    await there.invalidate({ operation: 'chat' })
    expect(textIn(await withSlowReads(processes, () => here.lookup(question())))).toBeUndefined()
    expect(clock.timers).toBe(0)
  })

  it('I2 holds for an entry, and the labels of its own that are then read', async () => {
    const processes = twoProcesses()
    const { clock, here, there } = processes
    // The key has no tags in it, so a call without the tag finds this entry.
    await there.store(question('tagged', { tags: ['doc'] }), answer())
    await there.flush()
    expect(textIn(await withSlowReads(processes, () => here.lookup(question('tagged'))))).toBeUndefined()
    expect(clock.timers).toBe(0)
  })

  it('I2 holds for a batch of inputs, of which each is looked up once', async () => {
    const { clock, store } = twoProcesses()
    const { cache } = openCache({ clock, store })
    store.reads = 'never'
    const said = {
      object: 'list',
      model: 'm',
      data: [0, 1].map((index) => ({ object: 'embedding', index, embedding: [index] })),
      usage: {},
    }
    const body = JSON.stringify({ model: 'm', input: ['a', 'b'] })
    const asked: number[] = []
    const fetch = cachingFetch(cache, async () => {
      asked.push(clock.monotonic())
      return Response.json(said)
    })
    const begun = clock.monotonic()
    const response = fetch('https://api.openai.com/v1/embeddings', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    })
    await settle()
    clock.advance(100)
    await settle()
    expect((await response).status).toBe(200)
    expect(asked).toEqual([begun + 100])
  })
})
