/**
 * A DynamoDB of its own process, so that the time of its work is not its callers'. Prints its port, and serves until it is killed.
 * @module
 */
import { once } from 'node:events'
import dynalite from 'dynalite'

const server = dynalite({ createTableMs: 0 })
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
console.log(typeof address === 'object' ? address?.port : undefined)
