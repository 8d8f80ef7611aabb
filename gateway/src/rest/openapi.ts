/**
 * The description of the API (OpenAPI 3.1), of the schemas that check.
 * Source: https://spec.openapis.org/oas/v3.1.1.html
 * @module
 */
import { z } from 'zod'
import type { Route } from './route.ts'
import { answers } from './schemas.ts'

const reasons: Readonly<Record<number, string>> = {
  200: 'Done.',
  400: 'The request cannot be.',
  404: 'There is none.',
  422: 'It was not stored.',
}

/** What every route may answer as well. */
const refusals: Readonly<Record<number, string>> = {
  400: 'The request cannot be.',
  401: 'There is no valid key or token.',
  403: 'The key may not do this.',
  429: 'Too many requests.',
}

/** The description of these routes. */
export function openApi(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const each of routes) (paths[each.path] ??= {})[each.method] = operationOf(each)
  return {
    openapi: '3.1.0',
    info: {
      title: 'llmemo-gateway',
      version: '1',
      description:
        'One cache of LLM answers for every language, team and service. Providers’ own protocols are at /openai, /anthropic, /bedrock and /gemini.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ key: [] }, { bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        key: { type: 'apiKey', in: 'header', name: 'x-llmemo-api-key' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
      schemas: { Error: schemaOf(answers.error, 'output'), Problem: schemaOf(answers.problem, 'output') },
    },
  }
}

function operationOf({ method, path, summary, role, body, query, answers: told }: Route): object {
  const inPath = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
  const parameters = [...inPath, ...(query === undefined ? [] : queryParameters(query))]
  const responses = Object.fromEntries(Object.entries(told).map(([status, schema]) => [status, responseOf(Number(status), schema)]))
  const others = Object.keys(refusals).filter((status) => !Object.hasOwn(responses, status))
  return {
    operationId: `${method}${path.replaceAll(/\W+(\w)/g, (_, first: string) => first.toUpperCase()).replaceAll(/\W/g, '')}`,
    summary,
    ...(role !== undefined && { description: `Needs the role ${role}.` }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } } }),
    responses: { ...responses, ...Object.fromEntries(others.map((status) => [status, errorOf(refusals[Number(status)])])) },
  }
}

function responseOf(status: number, schema: z.ZodType | string): object {
  if (status >= 400) return errorOf(reasons[status])
  if (typeof schema === 'string') return { description: reasons[status] ?? 'Done.', content: { [schema]: {} } }
  return { description: reasons[status] ?? 'Done.', content: { 'application/json': { schema: schemaOf(schema, 'output') } } }
}

function errorOf(description = 'An error.'): object {
  return {
    description,
    content: {
      'application/json': { schema: { $ref: '#/components/schemas/Error' } },
      'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
    },
  }
}

function queryParameters(query: z.ZodType): object[] {
  const { properties = {}, required = [] } = schemaOf(query, 'input')
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: required.includes(name), schema }))
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): z.core.JSONSchema.BaseSchema {
  const {
    $schema: _dialect,
    '~standard': _standard,
    ...made
  } = z.toJSONSchema(schema, { io, target: 'draft-2020-12', unrepresentable: 'any' })
  return made
}
