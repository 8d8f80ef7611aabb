/**
 * A Lambda handler that asks Bedrock through a cache in memory.
 * @module
 */
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { withCache } from '../../dist/index.mjs'
import { answer, instantAws, printTimes, question } from './instant-aws.ts'

const bedrock = withCache(new BedrockRuntimeClient(instantAws(answer)))
const handler = () => bedrock.send(new ConverseCommand(question))

void printTimes(handler)
