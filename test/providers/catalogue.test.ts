import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime'
import { findProvider } from '@pydantic/genai-prices'
import OpenAI, { AzureOpenAI } from 'openai'
import { describe, expect, it } from 'vitest'
import { UnknownClientError } from '../../src/errors.ts'
import {
  endpointOfPath,
  endpointsOf,
  isClientOf,
  operationsOf,
  protocolOf,
  protocolProvider,
  providerNamed,
  providers,
} from '../../src/providers/catalogue.ts'

const clients: readonly (readonly [provider: string, client: object])[] = [
  ['openai', new OpenAI({ apiKey: 'key' })],
  ['openai', new AzureOpenAI({ apiKey: 'key', endpoint: 'https://example.openai.azure.com', apiVersion: '2024-10-21' })],
  ['anthropic', new Anthropic({ apiKey: 'key' })],
  ['aws-bedrock', new BedrockRuntimeClient({ region: 'us-east-1' })],
  ['gemini', new GoogleGenAI({ apiKey: 'key' })],
]
await Promise.all(providers.map(protocolOf))

describe('the table of providers', () => {
  it('has these names, which are part of every key', () => {
    expect(providers.map(({ name }) => name)).toEqual(['openai', 'anthropic', 'aws-bedrock', 'gemini'])
  })

  it.each(providers)('gives $name only endpoints of its own, each under a name of its own', (provider) => {
    const { name } = provider
    const endpoints = endpointsOf(provider)
    expect(endpoints.length).toBeGreaterThan(0)
    expect(new Set(operationsOf(provider))).toEqual(new Set(endpoints.map(({ operation }) => operation)))
    expect(endpoints.map(({ provider }) => provider)).toEqual(endpoints.map(() => name))
    expect(new Set(endpoints.map((endpoint) => endpoint.name)).size).toBe(endpoints.length)
  })

  it.each(providers)('gives $name header names in lower case, as they are compared', ({ credentialHeaders, keptHeaders }) => {
    const names = [...credentialHeaders, ...keptHeaders]
    expect(names).toEqual(names.map((name) => name.toLowerCase()))
  })

  it.each(providers)('keeps no credential of $name with an answer', ({ credentialHeaders, keptHeaders }) => {
    expect(keptHeaders.filter((name) => credentialHeaders.includes(name))).toEqual([])
  })

  it.each(providers)('names $name as the price table does', ({ priceTableName }) => {
    expect(findProvider({ providerId: priceTableName })?.id).toBe(priceTableName)
  })

  it('finds a provider by its name, and none by another', () => {
    expect(providerNamed('anthropic')?.title).toBe('Anthropic')
    expect(providerNamed('claude')).toBeUndefined()
  })
})

describe('the endpoint of a path', () => {
  it.each([
    ['https://api.openai.com/v1/chat/completions', 'chat.completions'],
    ['https://api.openai.com/v1/completions', 'completions'],
    ['https://api.anthropic.com/v1/messages/count_tokens', 'messages.count_tokens'],
    // Its protocol says more of an address than its endpoint.
    ['https://bedrock-runtime.us-east-1.amazonaws.com/model/a/converse', undefined],
    ['https://api.openai.com/v1/files', undefined],
  ])('%s is %s', (path, name) => {
    expect(endpointOfPath(path)?.name).toBe(name)
  })
})

describe('the provider whose protocol a path is of', () => {
  it.each([
    ['/v1beta/models/gemini-2.5-flash:generateContent', 'gemini'],
    ['/v1beta/models/gemini-2.5-flash:streamGenerateContent', 'gemini'],
    ['/v1/projects/p/locations/l/publishers/anthropic/models/claude-test-1:streamRawPredict', 'gemini'],
    ['/model/anthropic.claude-v1%3A0/converse', 'aws-bedrock'],
    ['/model/anthropic.claude-v1%3A0/invoke-with-response-stream', 'aws-bedrock'],
    ['/model/a/count-tokens', undefined],
    ['/v1/chat/completions', undefined],
    ['/v1/messages', undefined],
  ])('%s is %s', (path, name) => {
    expect(protocolProvider(path)?.name).toBe(name)
  })
})

describe('a client', () => {
  it.each(clients)('of %s is recognised as that and as no other', (provider, client) => {
    expect(providers.map(({ name }) => name).filter((name) => isClientOf(name, client))).toEqual([provider])
  })

  it.each(clients)('of %s is named in the error for an unknown client', (_, client) => {
    expect(new UnknownClientError({}).message).toContain(client.constructor.name)
  })

  it.each([
    ['with nothing', {}],
    [
      'of an older SDK, without withOptions()',
      { chat: { completions: { create() {} } }, embeddings: { create() {} }, post() {}, fetch() {} },
    ],
    ['of another service of AWS', { send() {}, middlewareStack: { clone() {} }, config: { serviceId: 'S3' } }],
    ['of AWS without a configuration', { send() {}, middlewareStack: { clone() {} } }],
  ])('%s is none that is known', (_, client) => {
    expect(providers.filter(({ name }) => isClientOf(name, client))).toEqual([])
  })
})
