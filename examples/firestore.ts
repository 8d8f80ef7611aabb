/**
 * Several machines that share their answers through a collection of Google Cloud Firestore, and keep the large ones in Cloud Storage.
 * The example needs FIRESTORE_EMULATOR_HOST, or GOOGLE_CLOUD_PROJECT with the credentials of the environment. Large answers go to the bucket
 * GCS_BUCKET when that is set; otherwise they are split over several documents.
 * @module
 */
import { Firestore } from '@google-cloud/firestore'
import { Storage } from '@google-cloud/storage'
import { createCache } from 'llmemo'
import { firestoreStore } from 'llmemo/firestore'
import { gcsObjects } from 'llmemo/objects'
import { GoogleAuth, PassThroughClient } from 'google-auth-library'

const { FIRESTORE_EMULATOR_HOST: emulator, GOOGLE_CLOUD_PROJECT: project, GCS_BUCKET: bucket } = process.env
if (emulator === undefined && project === undefined) {
  console.log('Set GOOGLE_CLOUD_PROJECT to a project with Firestore, or FIRESTORE_EMULATOR_HOST to its emulator.')
  process.exit(0)
}
// Over HTTP instead of gRPC, the client starts sooner, which a function is glad of. An emulator asks for no credentials.
const auth = emulator === undefined ? {} : { auth: new GoogleAuth({ authClient: new PassThroughClient() }) }
const client = new Firestore({ projectId: project ?? 'example', preferRest: true, ...auth })

/** What each machine has: a cache over the collection. */
function startMachine() {
  const overflow = bucket === undefined ? {} : { overflow: { objects: gcsObjects({ bucket: new Storage().bucket(bucket) }) } }
  // The first request also gets a token.
  return createCache({
    store: firestoreStore({ client, timeout: 10_000, ...overflow }),
    readDeadline: '10s',
    namespace: 'firestore-example',
  })
}

const [one, another] = [startMachine(), startMachine()]
const question = { prompt: 'What is a collection?', model: 'example' }
// The collection may hold answers of an earlier run.
await one.invalidate({ all: true })

console.log('One machine keeps an answer, and another one has it:')
await one.store(question, 'A collection is where Firestore keeps documents.')
// Where the process may be frozen, call it before the handler returns: the store is written in the background.
await one.flush()
const found = await another.lookup(question)
console.log(`  from ${found?.info.source}`)

// Numbers that no compression makes small.
const large = Array.from({ length: 400_000 }, () => Math.random())
await one.set('large', large)
await one.flush()
console.log(`  ${JSON.stringify(await another.get('large')) === JSON.stringify(large) ? 'the same' : 'another'} ${large.length} numbers`)

// The cache does not close the client: the program does, once the cache is closed.
await one.close()
await another.close()
await client.terminate()
