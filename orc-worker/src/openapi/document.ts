import { optionHeaders, requestOptions } from '@daisi/protocol'
import { ORC_VERSION } from '../config.ts'
import { type Route, routes } from '../routes/table.ts'
import { accountOperations } from './account-operations.ts'
import { consumerOperations } from './consumer-operations.ts'
import { hostOperations } from './host-operations.ts'
import type {
  Content,
  OpenApiDocument,
  OpenApiOperation,
  OpenApiResponse,
  Parameter,
  Reference,
} from './open-api.ts'
import { type Operation, type Operations, TAGS } from './operation.ts'
import { pageOperations } from './page-operations.ts'
import { peopleOperations } from './people-operations.ts'
import { errorResponses } from './responses.ts'
import { type JsonSchema, componentSchemas, jsonSchema } from './schemas.ts'
import { SECURITY_SCHEMES, securityOf } from './security.ts'

/** What is said of every route, by method and path as the table has them. */
export const operations: Operations = {
  ...consumerOperations,
  ...accountOperations,
  ...hostOperations,
  ...peopleOperations,
  ...pageOperations,
}

const DESCRIPTION = `DAISI lends idle GPUs and CPUs for AI. Point any OpenAI client at \`/v1\` with a Secret Key.

Every answer carries \`x-request-id\`. Errors have a stable \`code\`, and a message that says what to do next. \`Retry-After\` stands where a retry helps, \`x-should-retry: false\` where it cannot.`

/** The OpenAPI 3.1 document of an Orc at this address. */
export function openApiDocument(server: string): OpenApiDocument {
  const paths: Record<string, Record<string, OpenApiOperation>> = {}
  for (const route of routes) {
    const operation = operations[`${route.method} ${route.path}`]
    if (operation === undefined) continue
    const path = (paths[openApiPath(route.path)] ??= {})
    path[route.method.toLowerCase()] = describe(route, operation)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'DAISI Orc',
      version: ORC_VERSION,
      description: DESCRIPTION,
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: server }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      schemas: componentSchemas(),
      headers: ANSWER_HEADERS,
      parameters: Object.fromEntries(optionParameters().map((parameter) => [parameter.name, parameter])),
    },
  }
}

/** A path of the route table as OpenAPI writes it. */
export function openApiPath(path: string): string {
  return path.replaceAll(/:(\w+)(?:\{\.\+\})?/g, '{$1}')
}

const ANSWER_HEADERS = {
  'x-request-id': {
    description: 'Names this request. Say it when you report a fault.',
    schema: { type: 'string' },
  },
  'Retry-After': { description: 'Seconds after which to try again.', schema: { type: 'integer' } },
  'x-should-retry': {
    description: '`false` where the same request cannot succeed.',
    schema: { type: 'string' },
  },
  'Daisi-Host': {
    description: 'Aliases of the Hosts that had taken the work when the headers left, separated by commas.',
    schema: { type: 'string' },
  },
  'Daisi-Model-Percent': { description: 'How far the model is loaded.', schema: { type: 'integer' } },
} as const

const REQUEST_HEADERS = {
  'Idempotency-Key': 'Makes the request safe to send again: within 24 hours one key is charged at most once.',
  'If-None-Match': 'The `ETag` of the answer that is known.',
  'Daisi-Account': 'The account to act for, where the person is a member of several.',
} as const

const OPTION_DESCRIPTIONS: Readonly<Record<keyof typeof optionHeaders, string>> = {
  network: 'Only this Network.',
  host: 'Only the Host of this alias.',
  exclude_hosts: 'Not the Hosts of these aliases, 16 at most, separated by commas.',
  wait: 'Seconds, 0–120, to wait for a Host where none can take the request at once.',
  mode: 'How the request travels. Only `orchestrated` is served here.',
  session: 'The Session that the request belongs to.',
}

function optionParameters(): Parameter[] {
  return (Object.keys(optionHeaders) as (keyof typeof optionHeaders)[]).map((name) => ({
    name: optionHeaders[name],
    in: 'header',
    description: OPTION_DESCRIPTIONS[name],
    schema:
      name === 'exclude_hosts'
        ? { type: 'string' }
        : jsonSchema(requestOptions.shape[name].unwrap(), 'input'),
  }))
}

function describe(route: Route, operation: Operation): OpenApiOperation {
  const { id, tag, summary, description } = operation
  const role = roleOf(route)
  const about = [description, role].filter((part) => part !== undefined).join('\n\n')
  const body = bodyOf(operation)
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(about !== '' && { description: about }),
    security: securityOf(route.access),
    parameters: parametersOf(route, operation),
    ...(body !== undefined && { requestBody: { required: true, content: body } }),
    responses: { ...answersOf(route, operation), ...errorResponses(route, operation) },
  }
}

function roleOf({ access }: Route): string | undefined {
  const isRole = access === 'viewer' || access === 'member' || access === 'admin' || access === 'owner'
  return isRole ? `Takes the role \`${access}\` in the account, or a higher one.` : undefined
}

function parametersOf(
  { path, access }: Route,
  { headers = [], query, tag }: Operation,
): (Parameter | Reference)[] {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name = '']): Parameter => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const named = [...headers, ...(isForAccount(access) ? (['Daisi-Account'] as const) : [])]
  const inHeader = named.map((name): Parameter => ({
    name,
    in: 'header',
    description: REQUEST_HEADERS[name],
    schema: { type: 'string' },
  }))
  const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]): Parameter => ({
    name,
    in: 'query',
    schema: jsonSchema(schema, 'input'),
  }))
  const all = tag === 'Inference' || path === '/v1/quote'
  const options = optionParameters()
    .map(({ name }) => name)
    .filter(
      (name) => all || name === 'Daisi-Network' || (name === 'Daisi-Session' && !path.includes(':session')),
    )
    .map((name) => ({ $ref: `#/components/parameters/${name}` }))
  return [...inPath, ...inQuery, ...inHeader, ...(access === 'consumer' ? options : [])]
}

function isForAccount(access: Route['access']): boolean {
  return access === 'viewer' || access === 'member' || access === 'admin' || access === 'owner'
}

function bodyOf({ body, form }: Operation): Content | undefined {
  if (body !== undefined) {
    const { schema, example } = body
    return { 'application/json': { schema: reference(schema), ...(example !== undefined && { example }) } }
  }
  if (form === undefined) return undefined
  const properties = Object.fromEntries(form.map((field) => [field, { type: 'string' }]))
  return { 'application/x-www-form-urlencoded': { schema: { type: 'object', properties } } }
}

function answersOf({ access }: Route, { answer, tag }: Operation): Record<string, OpenApiResponse> {
  const { status = 200, schema, example, events, media } = answer
  const content: Content = {
    ...(schema !== undefined && {
      'application/json': { schema: reference(schema), ...(example !== undefined && { example }) },
    }),
    ...(events !== undefined && { 'text/event-stream': { schema: reference(events) } }),
    ...(media !== undefined && { [media]: { schema: { type: 'string' } } }),
  }
  const names = ['x-request-id', ...(access === 'consumer' && tag === 'Inference' ? ['Daisi-Host'] : [])]
  const streamed = ' With `stream: true` server-sent events, each `data:` one of these.'
  return {
    [status]: {
      description: `${WORDS[status] ?? 'Done.'}${events === undefined ? '' : streamed}`,
      // A 101 answer carries a socket.
      ...(status !== 101 && { headers: headerReferences(names) }),
      ...(Object.keys(content).length > 0 && { content }),
    },
  }
}

const WORDS: Readonly<Record<number, string>> = {
  101: 'The connection speaks WebSocket.',
  200: 'The answer.',
  201: 'It is made.',
  202: 'It is queued.',
  204: 'Done.',
  302: 'Go on there.',
  404: '`not_found`',
}

function reference(name: string): Reference & JsonSchema {
  return { $ref: `#/components/schemas/${name}` }
}

function headerReferences(names: readonly string[]): Record<string, Reference> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}
