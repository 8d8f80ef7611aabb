// The gateway as a function of Vercel: npx vercel deploy
import { gatewayFromEnvironment } from 'llmemo-gateway'

const gateway = await gatewayFromEnvironment()

export default {
  fetch: (request) => gateway.fetch(request, request.headers.get('x-real-ip')),
}
