import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { EmailLoginBegun, MeView } from '@daisi/protocol'
import { createApp } from '../../src/app.ts'
import { Cookies } from './cookies.ts'
import { EMAIL, type SentMail } from './email-stub.ts'

export const ORIGIN = 'https://orc.test'
export const LOGIN_COOKIE = '__Host-daisi_login'

const app = createApp()

/** Settings of an Orc that sends codes through the stand-in and lets everybody in. */
export const OPEN = {
  SIGN_UP: 'open',
  LOGIN_EMAIL: 'http',
  EMAIL_ENDPOINT: EMAIL.endpoint,
  EMAIL_FROM: EMAIL.from,
  EMAIL_TOKEN: EMAIL.token,
} as const
export const INVITED = { ...OPEN, SIGN_UP: 'invited' } as const

/** A browser with our pages open: an answer is there when all that the Orc does for it afterwards is done as well. */
export class Browser {
  readonly cookies = new Cookies()
  readonly #settings: Partial<Env>

  /** `settings`: how the Orc that it speaks to is set up, over the settings of all tests. */
  constructor(settings: Partial<Env> = OPEN) {
    this.#settings = settings
  }

  /** A script's request from a page of ours, unless `headers` say otherwise; null takes a header away. */
  async call(
    method: string,
    path: string,
    { body, headers = {} }: { body?: unknown; headers?: Record<string, string | null> } = {},
  ): Promise<Response> {
    const all = { origin: ORIGIN, 'content-type': 'application/json', ...headers }
    return this.#send(method, path, all, body === undefined ? undefined : JSON.stringify(body))
  }

  /** Opens an address that the person typed, or came to from another site. Follows nothing. */
  open(path: string): Promise<Response> {
    return this.#send('GET', path, {})
  }

  /** Sends a form of a page of ours, or of `origin`. Follows nothing. */
  submit(path: string, fields: Record<string, string>, origin: string | null = ORIGIN): Promise<Response> {
    const headers = { origin, 'content-type': 'application/x-www-form-urlencoded' }
    return this.#send('POST', path, headers, new URLSearchParams(fields).toString())
  }

  async #send(
    method: string,
    path: string,
    headers: Record<string, string | null>,
    body?: string,
  ): Promise<Response> {
    const all = { ...this.cookies.header(), ...headers }
    const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null)
    const request = new Request(ORIGIN + path, {
      method,
      headers: sent,
      ...(body === undefined ? {} : { body }),
    })
    const context = createExecutionContext()
    const response = await app.fetch(request, { ...env, ...this.#settings }, context)
    await waitOnExecutionContext(context)
    this.cookies.take(response)
    return response
  }

  /** The value of the login cookie. */
  get login(): string | undefined {
    return this.cookies.get(LOGIN_COOKIE)
  }
}

let addresses = 0

/** An address that nobody has yet. */
export function newAddress(): string {
  return `person-${++addresses}-${crypto.randomUUID()}@example.test`
}

/** Begins a login by e-mail. */
export async function beginEmailLogin(browser: Pick<Browser, 'call'>, email: string): Promise<string> {
  const response = await browser.call('POST', '/api/login/email', { body: { email } })
  if (response.status !== 200) throw new Error(await response.text())
  return (await response.json<EmailLoginBegun>()).flow
}

/** Everything that was sent to an address, the latest last. */
export async function mailTo(email: string): Promise<SentMail[]> {
  const response = await fetch(`${EMAIL.origin}/sent?to=${encodeURIComponent(email)}`)
  return response.json<SentMail[]>()
}

/** The code that was sent last to an address. */
export async function codeTo(email: string): Promise<string> {
  const code = /\b\d{6}\b/.exec((await mailTo(email)).at(-1)?.text ?? '')?.[0]
  if (code === undefined) throw new Error(`nothing was sent to ${email}`)
  return code
}

export interface LoggedIn {
  readonly browser: Browser
  readonly email: string
  readonly me: MeView
}

/** Logs somebody in by e-mail: somebody new, where nothing else is said. */
export async function logIn(email = newAddress(), browser = new Browser()): Promise<LoggedIn> {
  const flow = await beginEmailLogin(browser, email)
  const body = { flow, code: await codeTo(email) }
  const response = await browser.call('POST', '/api/login/email/verify', { body })
  if (response.status !== 204) throw new Error(await response.text())
  return { browser, email, me: await meOf(browser) }
}

/** `GET /api/me`. */
export async function meOf(browser: Browser): Promise<MeView> {
  return (await browser.call('GET', '/api/me')).json<MeView>()
}

/** A wrong code. */
export function notThe(code: string): string {
  return code === '000000' ? '000001' : '000000'
}
