import { HOST_CLIENT_ID } from '@daisi/protocol'
import * as oauth from 'oauth4webapi'
import { type Clock, sleep } from '../clock.ts'
import { FatalError } from '../exit-codes.ts'
import {
  loginDenied,
  loginExpired,
  loginInterrupted,
  loginRefused,
  loginUnsupported,
} from './login-failures.ts'
import { describeFailure, orcUnreachable } from './orc-failures.ts'
import type { OrcTransport } from './orc-transport.ts'
import { PollPace } from './poll-pace.ts'

/** This program at every Orc. It is a public client: it has no secret (RFC 6749 §2.1). */
const CLIENT: oauth.Client = { client_id: HOST_CLIENT_ID }

/** A code that lives longer is not polled for any longer. */
const LONGEST_LIFE_SECONDS = 24 * 60 * 60

/** What the owner sees when asked to approve. */
export interface LoginRequest {
  readonly hostId: string
  readonly hostName: string
  readonly network: string | undefined
}

/** What the owner needs to approve (RFC 8628 §3.2). */
export interface LoginCode {
  readonly userCode: string
  readonly verificationUri: string
  /** The same with the code in it. */
  readonly verificationUriComplete: string | undefined
  readonly expiresInSeconds: number
}

export interface LoginListener {
  /** Show this to the owner. Comes once, before the waiting. */
  onCode(code: LoginCode): void
  /** The Orc could not be asked; the waiting goes on. */
  onProblem(problem: string, waitMs: number): void
}

/** One answer to a poll (RFC 8628 §3.5). */
type Poll =
  | { readonly kind: 'granted'; readonly token: string }
  | { readonly kind: 'pending' | 'slow-down' }
  | { readonly kind: 'failed'; readonly problem: string }

/**
 * OAuth 2.0 Device Authorization Grant (RFC 8628): the owner approves this Host in a browser elsewhere. The access token is
 * a one-time enrolment token.
 */
export class DeviceLogin {
  readonly #transport: OrcTransport
  readonly #clock: Clock
  readonly #signal: AbortSignal

  /** Aborting `signal` ends the login. */
  constructor(transport: OrcTransport, clock: Clock, signal: AbortSignal) {
    this.#transport = transport
    this.#clock = clock
    this.#signal = signal
  }

  /** The enrolment token. Throws a `FatalError` for every other end. */
  async run(request: LoginRequest, listener: LoginListener): Promise<string> {
    const server = await this.#begin(() => this.#discover())
    const grant = await this.#begin(() => this.#authorize(server, request))
    const expiresInSeconds = Math.min(grant.expires_in, LONGEST_LIFE_SECONDS)
    const expiresAt = this.#clock.now() + expiresInSeconds * 1000
    listener.onCode({ ...this.#readCode(grant), expiresInSeconds })
    const pace = new PollPace(grant.interval)
    while (true) {
      await sleep(this.#clock, Math.min(pace.waitMs, expiresAt - this.#clock.now()), this.#signal)
      if (this.#signal.aborted) throw loginInterrupted()
      if (this.#clock.now() >= expiresAt) throw loginExpired(this.#transport.url)
      const poll = await this.#poll(server, grant.device_code)
      switch (poll.kind) {
        case 'granted':
          return poll.token
        case 'pending':
          pace.answered()
          break
        case 'slow-down':
          pace.slowDown()
          break
        case 'failed':
          pace.failed()
          listener.onProblem(poll.problem, pace.waitMs)
      }
    }
  }

  /** RFC 8414 §3. The endpoints must be the Orc's own: the device code is not given to anybody else. */
  async #discover(): Promise<oauth.AuthorizationServer> {
    const { origin } = new URL(this.#transport.url)
    const response = await oauth.discoveryRequest(new URL(origin), { algorithm: 'oauth2', ...this.#options })
    const server = await oauth.processDiscoveryResponse(new URL(origin), response)
    for (const endpoint of [server.device_authorization_endpoint, server.token_endpoint])
      if (endpoint === undefined || !URL.canParse(endpoint) || new URL(endpoint).origin !== origin)
        throw loginUnsupported(this.#transport.url, 'its endpoints are missing or elsewhere')
    return server
  }

  /** RFC 8628 §3.1, with the facts that the owner approves. */
  async #authorize(
    server: oauth.AuthorizationServer,
    { hostId, hostName, network }: LoginRequest,
  ): Promise<oauth.DeviceAuthorizationResponse> {
    const facts = { host_id: hostId, host_name: hostName, ...(network !== undefined && { network }) }
    const response = await oauth.deviceAuthorizationRequest(
      server,
      CLIENT,
      oauth.None(),
      facts,
      this.#options,
    )
    return oauth.processDeviceAuthorizationResponse(server, CLIENT, response)
  }

  #readCode(grant: oauth.DeviceAuthorizationResponse): Omit<LoginCode, 'expiresInSeconds'> {
    const { user_code, verification_uri, verification_uri_complete } = grant
    const uris = [verification_uri, verification_uri_complete ?? verification_uri]
    if (!uris.every((uri) => URL.canParse(uri) && ['http:', 'https:'].includes(new URL(uri).protocol)))
      throw loginUnsupported(this.#transport.url, 'its verification address is no web address')
    return {
      userCode: user_code,
      verificationUri: verification_uri,
      verificationUriComplete: verification_uri_complete,
    }
  }

  /** RFC 8628 §3.4 and §3.5. */
  async #poll(server: oauth.AuthorizationServer, deviceCode: string): Promise<Poll> {
    try {
      const response = await oauth.deviceCodeGrantRequest(
        server,
        CLIENT,
        oauth.None(),
        deviceCode,
        this.#options,
      )
      const { access_token } = await oauth.processDeviceCodeResponse(server, CLIENT, response)
      return { kind: 'granted', token: access_token }
    } catch (error) {
      if (error instanceof oauth.ResponseBodyError) return this.#readError(error)
      const failure = this.#explain(error)
      if (failure.code !== 'orc_unreachable') throw failure
      return { kind: 'failed', problem: describeFailure(error) }
    }
  }

  #readError(error: oauth.ResponseBodyError): Poll {
    switch (error.error) {
      case 'authorization_pending':
        return { kind: 'pending' }
      case 'slow_down':
        return { kind: 'slow-down' }
      case 'access_denied':
        throw loginDenied(this.#transport.url)
      case 'expired_token':
        throw loginExpired(this.#transport.url)
      default:
        throw loginRefused(this.#transport.url, error.error, error.error_description)
    }
  }

  /** Before there is a code nothing is tried again: the owner is there to do it. */
  async #begin<Value>(step: () => Promise<Value>): Promise<Value> {
    try {
      return await step()
    } catch (error) {
      throw this.#explain(error)
    }
  }

  #explain(error: unknown): FatalError {
    const { url } = this.#transport
    if (this.#signal.aborted) return loginInterrupted()
    if (error instanceof FatalError) return error
    if (error instanceof oauth.ResponseBodyError)
      return loginRefused(url, error.error, error.error_description)
    if (error instanceof oauth.WWWAuthenticateChallengeError)
      return loginRefused(url, `HTTP ${error.status}`, undefined)
    if (error instanceof oauth.UnsupportedOperationError) return loginUnsupported(url, error.message)
    if (!(error instanceof oauth.OperationProcessingError)) return orcUnreachable(url, error)
    const status = error.cause instanceof Object && 'status' in error.cause ? Number(error.cause.status) : 200
    if (status >= 500 || status === 429) return orcUnreachable(url, new Error(`HTTP ${status}`))
    return loginUnsupported(url, status === 200 ? error.message : `HTTP ${status}`)
  }

  get #options() {
    return {
      signal: this.#signal,
      [oauth.allowInsecureRequests]: this.#transport.url.startsWith('http:'),
      [oauth.customFetch]: (
        url: string,
        init: oauth.CustomFetchOptions<string, URLSearchParams | undefined>,
      ) => this.#fetch(url, init),
    }
  }

  async #fetch(
    url: string,
    { body, headers, method }: oauth.CustomFetchOptions<string, URLSearchParams | undefined>,
  ): Promise<Response> {
    const response = await this.#transport.fetch(url, {
      method,
      headers,
      redirect: 'manual',
      signal: this.#signal,
      ...(body !== undefined && { body }),
    })
    // The same class, as another copy of it than Node's own.
    return response as unknown as Response
  }
}
