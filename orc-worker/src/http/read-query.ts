import type * as z from 'zod'
import type { AppContext } from './context.ts'
import { ApiError } from './errors.ts'

/**
 * Parses the query of a request with the schema, which sees every parameter as text; of a repeated one, the first. Throws
 * `ApiError` with `invalid_request` naming the first parameter at fault.
 */
export function readQuery<Value>(c: AppContext, schema: z.ZodType<Value>): Value {
  const parsed = schema.safeParse(c.req.query())
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const param = issue?.path.join('.') ?? ''
  const where = param === '' ? 'The query' : `\`${param}\` of the query`
  throw new ApiError({
    code: 'invalid_request',
    message: `${where}: ${issue?.message ?? 'invalid'}. Correct the parameter and send the request again.`,
    ...(param === '' ? {} : { param }),
  })
}
