/**
 * The program that the CDK runs: npm install && npx aws-cdk deploy, with Node.js 22.18 or newer.
 * @module
 */
import { App } from 'aws-cdk-lib'
import { GatewayStack } from './gateway-stack.ts'

new GatewayStack(new App(), 'llmemo-gateway')
