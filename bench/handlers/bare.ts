/**
 * A Lambda handler that asks Bedrock.
 * @module
 */
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { answer, instantAws, printTimes, question } from './instant-aws.ts'

const bedrock = new BedrockRuntimeClient(instantAws(answer))
const handler = () => bedrock.send(new ConverseCommand(question))

void printTimes(handler)
