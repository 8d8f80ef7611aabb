import { createGateway } from 'llmemo-gateway'
import { expect, it } from 'vitest'

it('tells whether it is up, and the state of each tier', async () => {
  const gateway = createGateway()
  expect(await (await gateway.fetch(new Request('http://gateway/health'))).json()).toEqual({
    status: 'ok',
    timestamp: expect.any(String),
    service: 'llmemo-gateway',
  })
  const ready = await gateway.fetch(new Request('http://gateway/ready'))
  expect(ready.status).toBe(200)
  expect(await ready.json()).toMatchObject({ status: 'ready', tiers: { memory: { entries: 0 }, stores: [] } })
  await gateway.close()
  expect((await gateway.fetch(new Request('http://gateway/ready'))).status).toBe(503)
})
