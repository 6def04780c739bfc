import { MAX_BODY_BYTES } from '@daisi/protocol'
import type * as z from 'zod'
import { ApiError } from './errors.ts'
import { readText } from './read-text.ts'

/** A parsed body and its exact text. */
export interface JsonBody<Value> {
  readonly value: Value
  readonly text: string
}

/**
 * Reads a JSON body of at most `MAX_BODY_BYTES` and parses it with the schema. Throws `ApiError` with `body_too_large`,
 * `invalid_json`, or `invalid_request` naming the first field at fault.
 */
export async function readJson<Value>(request: Request, schema: z.ZodType<Value>): Promise<JsonBody<Value>> {
  const text = await readText(request, MAX_BODY_BYTES)
  if (text === undefined) throw tooLarge()
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    throw new ApiError({ code: 'invalid_json', message: 'The body is not valid JSON. Send a JSON object.' })
  }
  const parsed = schema.safeParse(raw)
  if (parsed.success) return { value: parsed.data, text }
  const issue = parsed.error.issues[0]
  const param = issue?.path.join('.') ?? ''
  const where = param === '' ? 'The body' : `\`${param}\``
  throw new ApiError({
    code: 'invalid_request',
    message: `${where}: ${issue?.message ?? 'invalid'}. Correct the field and send the request again.`,
    ...(param === '' ? {} : { param }),
  })
}

function tooLarge(): ApiError {
  return new ApiError({
    code: 'body_too_large',
    message: `The body is larger than ${MAX_BODY_BYTES} bytes. Send a shorter conversation.`,
  })
}
