// The gateway as a function of Azure: func azure functionapp publish <name>
import { app } from '@azure/functions'
import { gatewayFromEnvironment } from 'llmemo-gateway'

const gateway = await gatewayFromEnvironment()
// Before the last address stands what the client said itself. Azure adds a port.
const clientOf = (headers) =>
  headers
    .get('x-forwarded-for')
    ?.split(',')
    .at(-1)
    ?.trim()
    .replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1')

/** Azure's request is not the web's, and its answer is a plain object. */
export async function handle({ method, url, headers: given, body }) {
  const headers = new Headers([...given])
  const sent = body === null ? {} : { body, duplex: 'half' }
  const response = await gateway.fetch(new Request(url, { method, headers, ...sent }), clientOf(headers))
  return { status: response.status, headers: response.headers, body: response.body }
}

app.setup({ enableHttpStream: true })
// Providers have paths for each of these. The gateway checks its own keys.
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
app.http('gateway', { route: '{*path}', methods, authLevel: 'anonymous', handler: handle })
