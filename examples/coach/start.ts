/**
 * A day of the coach on this machine: what its users ask, and where the answers come from.
 * @module
 */
import { type Coach, startCloud, type User } from './local/cloud.ts'

const cloud = await startCloud()
const ada: User = { user: 'ada' }
const ben: User = { user: 'ben' }

const morning = await cloud.start('handler')
await show(morning, 'PUT /api/profile', ada, { goal: 'to run ten kilometres', level: 'beginner' })
const question = { message: 'What do I do on a rest day?' }
await show(morning, 'POST /api/ai/chat', ada, question)
await show(morning, 'POST /api/ai/chat', ada, question)
await show(morning, 'POST /api/ai/chat', ben, question)
await show(morning, 'POST /api/ai/plan', ada, { goal: 'train for a race in May' })
await show(morning, 'POST /api/ai/chat', ada, { ...question, bypassCache: true })

console.log('\nLambda starts another instance. It has nothing in its memory, and reads the table.')
morning.instance.stop()
const noon = await cloud.start('handler')
await show(noon, 'POST /api/ai/plan', ada, { goal: 'train for a race in May' })

console.log('\nAda has become faster.')
await show(noon, 'PUT /api/profile', ada, { goal: 'to run a marathon', level: 'runner' })
await show(noon, 'POST /api/ai/chat', ada, question)
await show(noon, 'GET /api/ai/cache/stats', ada)

console.log('\nThe same as a stream.')
const stream = await cloud.start('streamHandler')
await show(stream, 'POST /api/ai/chat', ada, question)

console.log(`\nThe model was asked ${cloud.calls()} times.`)
await cloud.close()

async function show(coach: Coach, what: string, who: User, body?: object): Promise<void> {
  const reply = await coach.ask(what, who, body)
  console.log(`\n${who.user}: ${what} ${body === undefined ? '' : JSON.stringify(body)}\n${reply.status} ${reply.body.trim()}`)
}
