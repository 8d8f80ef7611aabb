/**
 * Several machines that share their answers through a container of Azure Cosmos DB, and keep the large ones in Blob Storage.
 * The example needs COSMOS_ENDPOINT and COSMOS_KEY, of an account or of its emulator, and makes the container `answers` if it is missing.
 * Large answers go to the container of BLOB_CONTAINER_URL, with its signature, when that is set; otherwise they are split over several items.
 * @module
 */
import { CosmosClient } from '@azure/cosmos'
import { ContainerClient } from '@azure/storage-blob'
import { createCache } from 'llmemo'
import { cosmosStore } from 'llmemo/cosmos'
import { azureBlobObjects } from 'llmemo/objects'

const { COSMOS_ENDPOINT: endpoint, COSMOS_KEY: key, BLOB_CONTAINER_URL: url } = process.env
if (endpoint === undefined || key === undefined) {
  console.log('Set COSMOS_ENDPOINT and COSMOS_KEY to an account of Cosmos DB, or to its emulator.')
  process.exit(0)
}
const client = new CosmosClient({ endpoint, key })
const { database } = await client.databases.createIfNotExists({ id: 'llmemo' })
const { container } = await database.containers.createIfNotExists({
  id: 'answers',
  partitionKey: '/id',
  // Each item has a TTL of its own.
  defaultTtl: -1,
  // Lists and patterns look for keys; an index of anything else only costs.
  indexingPolicy: { includedPaths: [{ path: '/key/?' }], excludedPaths: [{ path: '/*' }] },
})

/** What each machine has: a cache over the container. */
function startMachine() {
  const overflow = url === undefined ? {} : { overflow: { objects: azureBlobObjects({ container: new ContainerClient(url) }) } }
  // The first request also reads the settings of the account and of the container.
  return createCache({ store: cosmosStore({ container, timeout: 10_000, ...overflow }), readDeadline: '10s', namespace: 'cosmos-example' })
}

const [one, another] = [startMachine(), startMachine()]
const question = { prompt: 'What is a container?', model: 'example' }
// The container may hold answers of an earlier run.
await one.invalidate({ all: true })

console.log('One machine keeps an answer, and another one has it:')
await one.store(question, 'A container is where Cosmos DB keeps items.')
// Where the process may be frozen, call it before the handler returns: the store is written in the background.
await one.flush()
const found = await another.lookup(question)
console.log(`  from ${found?.info.source}`)

// Numbers that no compression makes small. An item holds up to 2 MB.
const large = Array.from({ length: 400_000 }, () => Math.random())
await one.set('large', large)
await one.flush()
console.log(`  ${JSON.stringify(await another.get('large')) === JSON.stringify(large) ? 'the same' : 'another'} ${large.length} numbers`)

await one.close()
await another.close()
// The cache does not close the client: the program does.
client.dispose()
