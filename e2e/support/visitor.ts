import { type EventEmitter, once } from 'node:events'
import type { EmailLoginBegun } from '@daisi/protocol'

/** What a visitor was answered. */
export interface Answer {
  readonly status: number
  /** Parsed JSON, or undefined where there is none. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects
  readonly body: any
}

/** A person at a browser of their own: it keeps the login cookie and says which page asks. */
export class Visitor {
  readonly email: string
  /** As a `cookie` header has it. */
  cookie = ''
  /** The last `set-cookie`, whole. */
  cookieRule = ''
  readonly #url: string

  constructor(url: string, email: string) {
    this.#url = url
    this.email = email
  }

  /** Types the address and then the code that `codes` brings for it. */
  async logIn(codes: EventEmitter): Promise<void> {
    const sent: Promise<unknown[]> = once(codes, this.email)
    const flow = await this.beginLogin()
    const [code] = await sent
    const { status } = await this.call('POST', '/api/login/email/verify', { flow, code })
    if (status !== 204) throw new Error(`no login: ${status}`)
  }

  /** Asks for a code. */
  async beginLogin(): Promise<string> {
    const { body } = await this.call('POST', '/api/login/email', { email: this.email })
    return (body as EmailLoginBegun).flow
  }

  /** Asks the Orc, from one of its own pages unless `origin` says otherwise. */
  async call(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const response = await fetch(this.#url + path, {
      method,
      headers: {
        origin: this.#url,
        ...(this.cookie === '' ? {} : { cookie: this.cookie }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    for (const rule of response.headers.getSetCookie()) {
      this.cookieRule = rule
      this.cookie = rule.split(';')[0] ?? ''
    }
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }

  /** Status and stable code of a refusal. */
  async refusal(...request: Parameters<Visitor['call']>): Promise<unknown[]> {
    const { status, body } = await this.call(...request)
    return [status, body?.error?.code]
  }
}
