// The gateway as a function of Google Cloud:
// gcloud functions deploy gateway --gen2 --runtime=nodejs24 --trigger-http --allow-unauthenticated --set-secrets=CACHE_STORE=llmemo-store:latest
import { http } from '@google-cloud/functions-framework'
import { getRequestListener } from '@hono/node-server'
import { gatewayFromEnvironment } from 'llmemo-gateway'

const gateway = await gatewayFromEnvironment()
// Before the last address stands what the client said itself.
const clientOf = (request) => request.headers.get('x-forwarded-for')?.split(',').at(-1)?.trim()

http(
  'gateway',
  getRequestListener((request) => gateway.fetch(request, clientOf(request)), { overrideGlobalObjects: false }),
)
