/**
 * The handlers that Lambda calls for messages of a queue and for events of EventBridge.
 * @module
 */
import { z } from 'zod'
import { LambdaEventError, LambdaStepsError } from '../errors.ts'
import type { Environment } from '../config/environment.ts'
import { madeFrom } from '../from-environment.ts'
import { createGateway } from '../gateway.ts'
import { HandledMessages } from './handled.ts'
import { deadline, flushed, type LambdaContext, opened, unlessAborted, withinTheRest } from './served.ts'
import { type Applied, ageOf, type Step, stepsIn } from './steps.ts'

/** Makes what messages are applied to. Called at the first invocation, and again after it failed. */
export type OpenApplied = () => Promise<Applied>

/**
 * What messages are applied to, as the variables of the environment say. Who may write to the queue or call the function is what decides, so
 * its gateway asks for no key.
 */
export async function openForMessages(env: Environment = process.env): Promise<Applied> {
  const { cache, log, settings, store } = await madeFrom(env)
  const { jwt: _, ...access } = settings.access
  return { cache, log, store, gateway: createGateway({ ...settings, access, cache, log }) }
}

/** What a function returns for a batch of messages. */
export interface SqsResult {
  /** The messages that are to be delivered again, and in the end go to the dead-letter queue. */
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[]
}

/** A handler of messages. */
export type SqsHandler = (event: unknown, context: LambdaContext) => Promise<SqsResult>

/** A handler of events. */
export type EventBridgeHandler = (event: unknown, context: LambdaContext) => Promise<void>

const batch = z.object({
  Records: z.array(
    z.object({
      messageId: z.string(),
      body: z.string(),
      attributes: z.object({ SentTimestamp: z.coerce.number().optional() }).optional(),
      eventSource: z.literal('aws:sqs'),
      eventSourceARN: z.string(),
    }),
  ),
})
const busEvent = z.object({
  id: z.string().optional(),
  'detail-type': z.string(),
  source: z.string(),
  detail: z.unknown(),
  time: z.string().optional(),
})

type Message = z.output<typeof batch>['Records'][number]

/**
 * A handler for a queue, whose event source must have `ReportBatchItemFailures`. A message counts as handled when the store has what it
 * asks for; else it alone is delivered again. What cannot be read goes the same way to the dead-letter queue.
 */
export function createSqsHandler(open: OpenApplied): SqsHandler {
  const served = opened(open)
  return async (event, context) => {
    const { success, data } = batch.safeParse(event)
    if (!success) throw new LambdaEventError('a batch of messages of SQS')
    const time = deadline(context)
    try {
      const applied = await unlessAborted(served(), time.signal)
      const all = data.Records.map(({ messageId }) => messageId)
      const failed = applied === undefined ? all : await failedOf(data.Records, { applied, context, signal: time.signal })
      return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) }
    } finally {
      time.cancel()
    }
  }
}

/**
 * A handler for events of EventBridge, whose `detail` is as the body of a message. It fails if anything of it could not be done, so that the
 * event is delivered again, and in the end goes to the dead-letter queue.
 */
export function createEventBridgeHandler(open: OpenApplied): EventBridgeHandler {
  const served = opened(open)
  return async (event, context) => {
    const { success, data } = busEvent.safeParse(event)
    if (!success) throw new LambdaEventError('an event of EventBridge')
    const steps = stepsIn(data.detail)
    const { id, source } = data
    const ids = id === undefined ? [] : [id]
    const time = deadline(context)
    try {
      const applied = await unlessAborted(served(), time.signal)
      if (applied === undefined) throw new LambdaStepsError()
      const handled = new HandledMessages(applied.store, source)
      if (((await unlessAborted(handled.among(ids), time.signal))?.size ?? 0) > 0) return
      const age = data.time === undefined ? 0 : ageOf(Date.parse(data.time))
      if (!(await isDone(steps, age, { applied, context, signal: time.signal }))) throw new LambdaStepsError()
      await withinTheRest(handled.note(ids), context)
    } finally {
      time.cancel()
    }
  }
}

interface Work {
  readonly applied: Applied
  /** Aborts when the invocation has no time left. */
  readonly signal: AbortSignal
  readonly context: LambdaContext
}

/** The ids of the messages that failed. Those that were handled before are done. */
async function failedOf(messages: readonly Message[], work: Work): Promise<string[]> {
  const arn = messages[0]?.eventSourceARN ?? ''
  const handled = new HandledMessages(work.applied.store, arn)
  const counted = messages.filter(({ body }) => !isQueuedChange(body)).map(({ messageId }) => messageId)
  const before = (await unlessAborted(handled.among(counted), work.signal)) ?? new Set()
  const left = messages.filter(({ messageId }) => !before.has(messageId))
  const failed = await (arn.endsWith('.fifo') ? failedInOrder(left, work) : failedInAnyOrder(left, work))
  const over = new Set([...failed, ...before])
  await withinTheRest(handled.note(counted.filter((id) => !over.has(id))), work.context)
  return failed
}

/** What `queueStore` sends knows its order by itself. */
function isQueuedChange(body: string): boolean {
  return body.startsWith('{"llmemo":')
}

async function failedInAnyOrder(messages: readonly Message[], work: Work): Promise<string[]> {
  const failed = new Set<string>()
  let written: Message[] = []
  const settle = async (): Promise<void> => {
    // If the store did not take something, one by one tells of which message: one that it never takes must not keep the others from being
    // handled.
    if (written.length > 0 && !(await flush(work))) {
      for (const message of written) if (!(await isHandled(message, work))) failed.add(message.messageId)
    }
    written = []
  }
  // What an earlier invocation lost is none of these messages' fault.
  await flush(work)
  for (const message of messages) {
    const steps = readSteps(message, work)
    // What was written before must not be written again after it was removed.
    if (steps?.some(({ isWrite }) => !isWrite) === true) await settle()
    if (steps === undefined || !(await run(steps, message, work))) failed.add(message.messageId)
    else if (steps.some(({ isWrite }) => isWrite)) written.push(message)
  }
  await settle()
  return messages.map(({ messageId }) => messageId).filter((id) => failed.has(id))
}

/** What follows a failure in a queue with an order must wait for it. */
async function failedInOrder(messages: readonly Message[], work: Work): Promise<string[]> {
  await flush(work)
  for (const [index, message] of messages.entries()) {
    if (!(await isHandled(message, work))) return messages.slice(index).map(({ messageId }) => messageId)
  }
  return []
}

async function isHandled(message: Message, work: Work): Promise<boolean> {
  const steps = readSteps(message, work)
  return steps !== undefined && (await run(steps, message, work)) && flush(work)
}

function readSteps({ body, messageId }: Message, { applied }: Work): readonly Step[] | undefined {
  try {
    return stepsIn(JSON.parse(body))
  } catch {
    // Neither error may be logged whole: that of JSON.parse quotes the message.
    applied.log?.('error', 'message-unreadable', { message: messageId })
    return undefined
  }
}

async function run(steps: readonly Step[], { attributes, messageId }: Message, work: Work): Promise<boolean> {
  const isRun = await areRun(steps, ageOf(attributes?.SentTimestamp ?? NaN), work)
  if (!isRun) work.applied.log?.('warn', 'message-failed', { message: messageId })
  return isRun
}

async function areRun(steps: readonly Step[], age: number, work: Work): Promise<boolean> {
  const { applied, signal } = work
  let hasWritten = false
  try {
    for (const step of steps) {
      // What is on its way to the store and removed before it is there was not taken, as a flush sees it.
      if (hasWritten && !step.isWrite && !(await flush(work))) return false
      hasWritten = step.isWrite
      if (signal.aborted || (await unlessAborted(step.run(applied, age), signal)) !== true) return false
    }
    return true
  } catch {
    return false
  }
}

async function isDone(steps: readonly Step[], age: number, work: Work): Promise<boolean> {
  await flush(work)
  return (await areRun(steps, age, work)) && flush(work)
}

async function flush({ applied, context }: Work): Promise<boolean> {
  return flushed(applied, context)
}
