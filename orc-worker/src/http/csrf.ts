import type { AppContext } from './context.ts'
import { ApiError } from './errors.ts'

/**
 * Refuses what another site makes a browser send. Browsers name the page that a request comes from, and no page can change
 * that (Fetch §3.2 `Origin`; Fetch Metadata `Sec-Fetch-Site`). Whatever a cookie decides about, and whatever sets one, passes here first.
 */
export function requireSameOrigin(c: AppContext): void {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return
  const origin = c.req.header('origin')
  const isSame =
    origin === undefined
      ? c.req.header('sec-fetch-site') === 'same-origin'
      : origin === new URL(c.req.url).origin
  if (isSame) return
  throw new ApiError({
    code: 'cross_site_request',
    message: 'A login counts only on pages of this Orc itself. Programs use an account token instead.',
  })
}
