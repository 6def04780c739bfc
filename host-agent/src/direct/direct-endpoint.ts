import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  DIRECT_ACKNOWLEDGE_PATH,
  DIRECT_CACHED_TOKENS_HEADER,
  DIRECT_CHAT_PATH,
  DIRECT_PROMPT_TOKENS_HEADER,
  type HostId,
  MAX_BODY_BYTES,
} from '@daisi/protocol'
import { decodeJwt } from 'jose'
import type { Logger } from '../log.ts'
import { takeAcknowledgement } from './acknowledgement.ts'
import type { DirectDesk } from './direct-desk.ts'
import { answerFailure } from './direct-delivery.ts'
import { type DirectFailure, failure, unknownIssuer } from './direct-failure.ts'
import { BodyPlaces, type BodySender, SMALL_BODY_BYTES } from './body-places.ts'
import { type BodyLimits, discardBody, readBody } from './read-body.ts'

/** Bytes of an acknowledgement. */
const MAX_ACKNOWLEDGEMENT_BYTES = 4096

/** Any page may ask: what counts is a token and a proof, and nothing that a browser would add by itself. */
const CORS_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': `${DIRECT_PROMPT_TOKENS_HEADER}, ${DIRECT_CACHED_TOKENS_HEADER}, retry-after, www-authenticate`,
} as const

export interface EndpointOptions {
  readonly hostId: HostId
  readonly logger: Logger
  readonly limits: Omit<BodyLimits, 'mostBytes'>
  readonly desks: () => Iterable<DirectDesk>
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<DirectFailure | undefined>

/** What a Host answers at its own address (D4, D6). Who has no token and no proof learns nothing but that it is there. */
export class DirectEndpoint {
  readonly #options: EndpointOptions
  readonly #routes: ReadonlyMap<string, Handler>
  readonly #places = new BodyPlaces()

  constructor(options: EndpointOptions) {
    this.#options = options
    this.#routes = new Map<string, Handler>([
      [DIRECT_CHAT_PATH, (request, response) => this.#chat(request, response)],
      [DIRECT_ACKNOWLEDGE_PATH, (request, response) => this.#acknowledge(request, response)],
    ])
  }

  /** Answers one request. Never throws. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      for (const [name, value] of Object.entries(CORS_HEADERS)) response.setHeader(name, value)
      response.setHeader('x-content-type-options', 'nosniff')
      response.on('error', () => {})
      const problem = await this.#route(request, response)
      if (problem === undefined) return
      this.#options.logger.debug({ direct: true, code: problem.code }, 'refused')
      answerFailure(response, problem)
      discardBody(request)
    } catch (error) {
      this.#options.logger.error({ err: error }, 'a request met a fault of this program')
      answerFailure(response, failure('engine_failed', 'internal fault'))
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<DirectFailure | undefined> {
    const handler = this.#routes.get(request.url ?? '')
    if (handler === undefined) return failure('not_found', 'there is nothing here')
    if (request.method === 'OPTIONS') {
      answerPreflight(request, response)
      return undefined
    }
    if (request.method === 'POST') return handler(request, response)
    response.setHeader('allow', 'POST, OPTIONS')
    return failure('method_not_allowed', 'send a POST request')
  }

  async #chat(request: IncomingMessage, response: ServerResponse): Promise<DirectFailure | undefined> {
    const { authorization } = request.headers
    if (authorization === undefined)
      return failure('missing_credentials', 'send `Authorization: DPoP <session token>`')
    const [, token] = /^DPoP ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization) ?? []
    if (token === undefined) return failure('token_invalid', 'send `Authorization: DPoP <session token>`')
    const proofs = request.headersDistinct['dpop'] ?? []
    const [proof] = proofs
    if (proof === undefined || proofs.length !== 1)
      return failure('proof_invalid', 'send one header `DPoP` with a proof')
    const type = request.headers['content-type'] ?? ''
    if (!/^application\/json\s*(;|$)/i.test(type))
      return failure('invalid_request', 'send `content-type: application/json`')
    const desk = this.#deskOf(token)
    if (desk === undefined) return unknownIssuer()
    const authorized = await desk.authorize(token, proof)
    if (!authorized.ok) return authorized
    const body = await this.#chatBody(request, response, {
      issuer: desk.issuer,
      tokenId: authorized.claims.jti,
    })
    if (body === undefined) return undefined
    if (!Buffer.isBuffer(body)) return body
    return desk.serve(authorized, body, response)
  }

  async #acknowledge(request: IncomingMessage, response: ServerResponse): Promise<DirectFailure | undefined> {
    const body = await readBody(request, response, {
      ...this.#options.limits,
      mostBytes: MAX_ACKNOWLEDGEMENT_BYTES,
    })
    if (body === undefined) return undefined
    if (!Buffer.isBuffer(body)) return body
    const taken = await takeAcknowledgement(body.toString('latin1'), this.#options.hostId, (jobId) =>
      this.#find(jobId),
    )
    if (!taken.ok) return taken
    response.writeHead(204).end()
    return undefined
  }

  async #chatBody(
    request: IncomingMessage,
    response: ServerResponse,
    sender: BodySender,
  ): Promise<Buffer | DirectFailure | undefined> {
    const limits = { ...this.#options.limits, mostBytes: MAX_BODY_BYTES }
    const length = request.headers['content-length']
    if (length !== undefined && Number(length) <= SMALL_BODY_BYTES) return readBody(request, response, limits)
    const giveBack = this.#places.take(sender)
    if (giveBack === undefined)
      return failure('busy', 'too many long requests are being sent at once; try again')
    try {
      return await readBody(request, response, limits)
    } finally {
      giveBack()
    }
  }

  /** The Orc that a token names as its issuer. Nothing else in it is believed before its signature is checked. */
  #deskOf(token: string): DirectDesk | undefined {
    const issuer = issuerOf(token)
    if (issuer === undefined || issuer === '') return undefined
    for (const desk of this.#options.desks()) if (desk.issuer === issuer) return desk
    return undefined
  }

  #find(jobId: string): ReturnType<DirectDesk['find']> {
    for (const desk of this.#options.desks()) {
      const job = desk.find(jobId)
      if (job !== undefined) return job
    }
    return undefined
  }
}

function answerPreflight(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(204, {
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': 'authorization, content-type, dpop',
    'access-control-max-age': '7200',
    ...(request.headers['access-control-request-private-network'] === 'true' && {
      'access-control-allow-private-network': 'true',
    }),
  })
  response.end()
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}
