import { DEVICE_VERIFICATION_PATH } from '@daisi/protocol'
import { html } from 'hono/html'
import { HOME_PATH, loginPath } from '../domain/return-path.ts'
import type { AppContext } from '../http/context.ts'
import { type Failure, errorResponse } from '../http/errors.ts'
import { pageResponse } from './page.ts'

export interface Problem {
  readonly status: number
  readonly message: string
  /** Path to try again at. */
  readonly again: string
}

/** A page that says what went wrong and leads on. */
export function problemPage(c: AppContext, { status, message, again }: Problem): Promise<Response> {
  const body = html`<p class="bad" role="alert">${message}</p>
    <p><a class="button" href="${again}">Go on</a></p>`
  return pageResponse({ title: 'That did not work', orcName: c.env.ORC_NAME, body, status })
}

/** True for the paths that people see in a browser. */
export function isPage(path: string): boolean {
  return path === DEVICE_VERIFICATION_PATH || path === HOME_PATH || path.startsWith(`${HOME_PATH}/`)
}

/** A failure in the form that people read, with the status that programs read. */
export async function failurePage(c: AppContext, failure: Failure): Promise<Response> {
  const { status, headers } = errorResponse(failure)
  const here = c.req.path === DEVICE_VERIFICATION_PATH ? DEVICE_VERIFICATION_PATH : HOME_PATH
  const problem =
    status === 401
      ? { status, message: 'You are not logged in any more. Log in and try again.', again: loginPath(here) }
      : { status, message: failure.message, again: here }
  const page = await problemPage(c, problem)
  const retryAfter = headers.get('retry-after')
  if (retryAfter !== null) page.headers.set('retry-after', retryAfter)
  return page
}
