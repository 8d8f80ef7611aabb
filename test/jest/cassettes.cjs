/** The same tests for both kinds of modules. Their provider must not be asked in a replay. */
module.exports = function cassettes({ OpenAI, createCache, withCache, testCassettes, jestGlobals }) {
  const { describe, expect, test } = jestGlobals
  const store = testCassettes()
  const cache = createCache({ store, logger: false })
  const asked = []
  const client = withCache(
    new OpenAI({
      apiKey: 'sk-test',
      maxRetries: 0,
      async fetch(_, init) {
        if (process.env.LLMEMO_MODE === 'replay') throw new Error('the provider was asked in a replay')
        const { messages } = JSON.parse(init.body)
        asked.push(messages[0].content)
        const message = { role: 'assistant', content: `re: ${messages[0].content}` }
        return Response.json({
          id: 'chatcmpl-1',
          object: 'chat.completion',
          model: 'm',
          choices: [{ index: 0, message, finish_reason: 'stop' }],
          usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
        })
      },
    }),
    cache,
  )
  const ask = async (content) => {
    const answer = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content }] })
    return answer.choices[0].message.content
  }

  describe('the cassettes of a test file under Jest', () => {
    test('lie in a folder that is named after it', () => {
      expect(store.folder).toBe(process.env.EXPECTED_FOLDER)
    })
    test('answer', async () => {
      expect(await ask('first')).toBe('re: first')
    })
    if (process.env.WITHOUT_SECOND === undefined) {
      test('answer again', async () => {
        expect(await ask('second')).toBe('re: second')
      })
    }
    test('say what was not recorded', async () => {
      if (process.env.LLMEMO_MODE !== 'replay') return
      await expect(ask('third')).rejects.toThrow(/first|second/)
      expect(asked).toEqual([])
    })
  })
}
