/** A cache of no cassettes, whose last hit is the last that the test does. */
const { createCache, memoryStore } = require('llmemo')

test('a hit', async () => {
  const cache = createCache({ store: memoryStore() })
  const answer = { usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }
  for (let time = 0; time < 2; time++) {
    expect(await cache.getOrCreate({ text: 'a', model: 'gpt-5-mini', operation: 'qa' }, () => answer)).toEqual(answer)
  }
})
