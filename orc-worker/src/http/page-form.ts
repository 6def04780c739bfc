import type { AppContext } from './context.ts'
import { requireSameOrigin } from './csrf.ts'
import { ApiError } from './errors.ts'
import { readForm } from './form.ts'

/** The fields of a form that one of our own pages sent. Throws `cross_site_request` if another did, `invalid_request` if it is none. */
export async function readPageForm(c: AppContext): Promise<ReadonlyMap<string, string>> {
  requireSameOrigin(c)
  const form = await readForm(c.req.raw)
  if (form.ok) return form.fields
  throw new ApiError({ code: 'invalid_request', message: form.message })
}
