import type { IncomingMessage, ServerResponse } from 'node:http'
import { FatalError } from '../exit-codes.ts'
import type { Outcome } from '../outcome.ts'
import type { OwnerSettings } from '../state/owner-settings.ts'
import { readControlBody } from './control-body.ts'
import type { ControlTarget } from './control-target.ts'
import { type AddModelEvent, addModelRequest, type ControlEvent, settingsPatch } from './control-wire.ts'
import { JsonLines } from './json-lines.ts'

/** One request, on its way to an answer. */
interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly target: ControlTarget
}

type Route = (exchange: Exchange) => Promise<void>

const MODEL_PATH = '/models/'

const ROUTES: Readonly<Record<string, Route>> = {
  'GET /status': async ({ response, target }) => answer(response, 200, target.status()),
  'GET /events': sendEvents,
  'POST /pause': async ({ response, target }) => tell(response, await target.pause()),
  'POST /resume': async ({ response, target }) => tell(response, await target.resume()),
  'POST /drain': async ({ response, target }) => answer(response, 200, await done(target.drain())),
  'POST /stop': async ({ response, target }) => answer(response, 200, await done(target.stop())),
  'GET /settings': async ({ response, target }) => answer(response, 200, target.settings()),
  'PATCH /settings': changeSettings,
  'GET /models': async ({ response, target }) => answer(response, 200, await target.models()),
  'POST /models': addModel,
}

/** Answers one request of the owner. Rejects for faults of this program only. */
export async function answerControl(
  request: IncomingMessage,
  response: ServerResponse,
  target: ControlTarget,
): Promise<void> {
  try {
    await route(request, response, target)
  } catch (error) {
    // What would end a command of its own, a broken file for one, does not end the agent.
    if (!(error instanceof FatalError) || response.headersSent) throw error
    fail(response, 500, error)
  }
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  target: ControlTarget,
): Promise<void> {
  const url = URL.parse(request.url ?? '', 'http://agent') ?? new URL('http://agent')
  const exchange: Exchange = { request, response, url, target }
  const found = ROUTES[`${request.method} ${url.pathname}`]
  if (found !== undefined) return await found(exchange)
  if (request.method === 'DELETE' && url.pathname.startsWith(MODEL_PATH)) return await removeModel(exchange)
  const message =
    'this version of daisi-host has no such command; update the one that asks or the one that runs'
  fail(response, 404, { code: 'unknown_command', message })
}

async function sendEvents({ response, target }: Exchange): Promise<void> {
  const lines = new JsonLines<ControlEvent>(response)
  lines.write({ type: 'status', status: target.status() })
  const stop = target.watch((event) => lines.write(event))
  if (response.destroyed) stop()
  else response.once('close', stop)
}

async function changeSettings({ request, response, target }: Exchange): Promise<void> {
  const body = await readControlBody(request, settingsPatch)
  const outcome: Outcome<OwnerSettings> = body.ok ? await target.applySettings(body.value) : body
  tell(response, outcome)
}

async function addModel({ request, response, target }: Exchange): Promise<void> {
  const body = await readControlBody(request, addModelRequest)
  if (!body.ok) return fail(response, 400, body)
  const gone = new AbortController()
  if (response.destroyed) gone.abort()
  else response.once('close', () => gone.abort())
  const lines = new JsonLines<AddModelEvent>(response)
  const outcome = await target.addModel(
    body.value,
    (progress) => lines.write({ type: 'progress', ...progress }),
    gone.signal,
  )
  if (outcome.ok) lines.write({ type: 'added', model: outcome.value })
  else lines.write({ type: 'failed', code: outcome.code, message: outcome.message })
  lines.end()
}

async function removeModel({ response, url, target }: Exchange): Promise<void> {
  const deleteFile = url.searchParams.get('keep-file') !== 'true'
  const outcome = await target.removeModel(decodeName(url.pathname.slice(MODEL_PATH.length)), { deleteFile })
  if (outcome.ok) answer(response, 200, {})
  else fail(response, 404, outcome)
}

/** Names may have slashes and colons. A malformed escape is a name that no model has. */
function decodeName(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

async function done(work: Promise<void>): Promise<object> {
  await work
  return {}
}

function tell(response: ServerResponse, outcome: Outcome<object | undefined>): void {
  if (outcome.ok) answer(response, 200, outcome.value ?? {})
  else fail(response, 400, outcome)
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}

function fail(
  response: ServerResponse,
  status: number,
  { code, message }: { code: string; message: string },
): void {
  answer(response, status, { code, message })
}
