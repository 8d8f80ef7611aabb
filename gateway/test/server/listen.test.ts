import { connect } from 'node:http2'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { listening } from '../support/listening.ts'

it('answers over HTTP/1.1', async () => {
  const { url } = await listening()
  const response = await fetch(`${url}/health`)
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({ status: 'ok', service: 'llmemo-gateway' })
})

it('answers over HTTP/2 without TLS, at the same port', async () => {
  const { url } = await listening()
  const session = connect(url)
  try {
    expect(JSON.parse(await text(session.request({ ':path': '/health' })))).toMatchObject({ status: 'ok' })
  } finally {
    session.close()
  }
})
