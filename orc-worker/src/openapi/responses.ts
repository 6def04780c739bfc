import type { ErrorCode } from '@daisi/protocol'
import { STATUS } from '../http/errors.ts'
import type { Route } from '../routes/table.ts'
import type { OpenApiResponse } from './open-api.ts'
import type { Operation } from './operation.ts'
import type { AnswerName } from './schemas.ts'

/** Codes of every route with this access. */
function codesOfAccess(access: Route['access']): readonly ErrorCode[] {
  switch (access) {
    case 'public':
    case 'host':
      return []
    case 'setup':
      return ['missing_credentials', 'invalid_api_key', 'rate_limited']
    case 'consumer':
      return [
        'missing_credentials',
        'invalid_api_key',
        'insufficient_scope',
        'network_not_allowed',
        'origin_not_allowed',
        'rate_limited',
        'storage_unavailable',
      ]
    case 'user':
    case 'viewer':
    case 'member':
    case 'admin':
    case 'owner':
    case 'operator':
      return [
        'missing_credentials',
        'invalid_api_key',
        'forbidden',
        'cross_site_request',
        'rate_limited',
        'storage_unavailable',
      ]
  }
}

/** Codes of every route with a body. */
const OF_BODY: readonly ErrorCode[] = ['invalid_json', 'invalid_request', 'body_too_large']

/** What a route can be answered that is no success, by status. */
export function errorResponses(route: Route, operation: Operation): Record<string, OpenApiResponse> {
  const { body, form, codes = [] } = operation
  const ofForm: readonly ErrorCode[] = form === undefined ? [] : ['invalid_request', 'body_too_large']
  const all = [...codesOfAccess(route.access), ...(body === undefined ? ofForm : OF_BODY), ...codes]
  const statuses = new Map<number, Set<ErrorCode>>()
  for (const code of ['internal_error' as const, ...all])
    statuses.set(STATUS[code], (statuses.get(STATUS[code]) ?? new Set()).add(code))
  return Object.fromEntries(
    [...statuses]
      .toSorted(([a], [b]) => a - b)
      .map(([status, of]) => [status, errorResponse(status, [...of], schemaOf(route, operation))]),
  )
}

/** Pages tell people what went wrong, the routes of an API as that API does. */
function schemaOf({ path }: Route, { tag }: Operation): ErrorSchema {
  if (tag === 'Pages') return 'page'
  return path.startsWith('/v1/messages') ? 'MessageError' : 'Error'
}

type ErrorSchema = 'page' | Extract<AnswerName, 'Error' | 'MessageError'>

function errorResponse(status: number, codes: readonly ErrorCode[], name: ErrorSchema): OpenApiResponse {
  const headers = ['x-request-id', 'Retry-After', 'x-should-retry']
  if (codes.includes('model_loading')) headers.push('Daisi-Model-Percent')
  const names = status === 429 || status >= 500 || status === 409 ? headers : headers.slice(0, 1)
  const media = name === 'page' ? 'text/html' : 'application/json'
  const schema = name === 'page' ? { type: 'string' } : { $ref: `#/components/schemas/${name}` }
  return {
    description: codes.map((code) => `\`${code}\``).join(', '),
    headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    content: { [media]: { schema } },
  }
}
