import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { isDatabaseFault } from './db/client.ts'
import { newId } from './domain/ids.ts'
import { admitCaller } from './http/allowed-callers.ts'
import type { AppContext, AppEnv } from './http/context.ts'
import { ApiError, type Failure, errorResponse, messageErrorResponse } from './http/errors.ts'
import { logRequest } from './http/log-request.ts'
import { oauthFailure } from './http/oauth-answers.ts'
import { answerWithinLimits } from './http/rate-limit.ts'
import { NotAllTold } from './objects/in-turns.ts'
import { failurePage, isPage } from './pages/problem-page.ts'
import { routes } from './routes/table.ts'

/** Headers that clients in browsers send; `x-stainless-*` come from OpenAI's and Anthropic's own clients. */
const CORS_HEADERS = [
  'authorization',
  'content-type',
  'idempotency-key',
  'daisi-network',
  'daisi-session',
  'daisi-host',
  'daisi-exclude-hosts',
  'daisi-wait',
  'daisi-mode',
  'x-client-request-id',
  'x-api-key',
  'anthropic-version',
  'anthropic-beta',
  'anthropic-dangerous-direct-browser-access',
  'x-stainless-arch',
  'x-stainless-async',
  'x-stainless-helper',
  'x-stainless-helper-method',
  'x-stainless-lang',
  'x-stainless-os',
  'x-stainless-package-version',
  'x-stainless-poll-helper',
  'x-stainless-retry-count',
  'x-stainless-runtime',
  'x-stainless-runtime-version',
  'x-stainless-timeout',
]

/** The Orc's HTTP side: the route table behind request ids, CORS for `/v1`, and one place where errors are answered. */
export function createApp(): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  app.use(async function requestId(c, next) {
    c.set('requestId', newId('req'))
    await next()
    // A 101 answer carries a socket and cannot be rewritten.
    if (c.res.status === 101) return
    c.res.headers.set('x-request-id', c.var.requestId)
    // As Anthropic's clients look for it.
    if (isMessages(c.req.path)) c.res.headers.set('request-id', c.var.requestId)
    // For a streamed answer: those that had taken a Job by the time its headers left.
    if (c.var.takenBy !== undefined) c.res.headers.set('daisi-host', c.var.takenBy.join(', '))
    // workerd sends none (RFC 9110 §6.6.1). Hosts compare their clocks with it.
    c.res.headers.set('date', new Date().toUTCString())
  })
  // Several Host headers, or one that is no address, make no URL (RFC 9112 §3.2). Whose page asks is decided by it.
  app.use(async function addressed(c, next) {
    if (!URL.canParse(c.req.url)) {
      const message = 'The Host header is not the address of this Orc. Send one, as host or host:port.'
      throw new ApiError({ code: 'invalid_request', message, param: 'Host' })
    }
    await next()
  })
  app.use(admitCaller)
  app.use(
    '/v1/*',
    cors({
      origin: '*',
      allowHeaders: CORS_HEADERS,
      exposeHeaders: [
        'x-request-id',
        'request-id',
        'retry-after',
        'x-should-retry',
        'daisi-model-percent',
        'daisi-host',
      ],
      maxAge: 86_400,
    }),
  )
  for (const route of routes) {
    app.on(route.method, route.path, function guarded(c) {
      return answerWithinLimits(c, route, () => route.handler(c))
    })
  }
  app.notFound((c) => answerFailure(c, missing(c.req.path)))
  app.onError((error, c) => {
    if (error instanceof ApiError) return answerFailure(c, error.failure)
    logRequest(c, 'request_failed', { path: c.req.routePath, error })
    if (error instanceof NotAllTold) {
      const message = 'The change is made, but not everybody that it concerns could be told. Send it again.'
      return answerFailure(c, { code: 'storage_unavailable', message, retryAfterSeconds: 2 })
    }
    if (isDatabaseFault(error)) {
      const message = 'The database cannot be reached at the moment. Nothing was changed. Try again.'
      return answerFailure(c, { code: 'storage_unavailable', message, retryAfterSeconds: 2 })
    }
    return answerFailure(c, {
      code: 'internal_error',
      message: `The Orc failed. Report request ${c.var.requestId}.`,
    })
  })
  return app
}

/** OAuth's routes speak of failures as OAuth does, Anthropic's as Anthropic does, and pages as people do. */
function answerFailure(c: AppContext, failure: Failure): Response | Promise<Response> {
  if (c.req.path.startsWith('/oauth/')) return oauthFailure(failure)
  if (isMessages(c.req.path)) return messageErrorResponse(failure, c.var.requestId)
  return isPage(c.req.path) ? failurePage(c, failure) : errorResponse(failure)
}

function isMessages(path: string): boolean {
  return path === '/v1/messages' || path.startsWith('/v1/messages/')
}

/** What a path without a handler is answered: another method would do, or nothing would. */
function missing(path: string): { code: 'method_not_allowed' | 'not_found'; message: string } {
  const known = routes.filter((route) => pattern(route.path).test(path)).map((route) => route.method)
  if (known.length > 0) return { code: 'method_not_allowed', message: `${path} takes ${known.join(', ')}.` }
  return { code: 'not_found', message: 'There is no such route. /.well-known/daisi describes this Orc.' }
}

/** What a path of the route table matches: a parameter stands for one segment, or for more if it says `{.+}`. */
function pattern(path: string): RegExp {
  const literal = path.replaceAll('.', String.raw`\.`)
  const source = literal.replaceAll(/:\w+(\{\\\.\+\})?/g, (_, more?: string) =>
    more === undefined ? '[^/]+' : '.+',
  )
  return new RegExp(`^${source}$`)
}
