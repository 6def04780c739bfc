import { MAX_BODY_BYTES } from '@daisi/protocol'
import type * as z from 'zod'
import { ApiError } from './errors.ts'
import { firstIssue } from './first-issue.ts'
import { longArray } from './long-arrays.ts'
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
  const { value, text } = await readJsonValue(request)
  return { value: parseWith(schema, value), text }
}

/** The same without a schema. */
export async function readJsonValue(request: Request): Promise<JsonBody<unknown>> {
  const text = await readText(request, MAX_BODY_BYTES)
  if (text === undefined) throw tooLarge()
  const value = parsed(text)
  const param = longArray(value)
  if (param === undefined) return { value, text }
  throw new ApiError({
    code: 'invalid_request',
    message: `\`${param === '' ? 'The body' : param}\`: has more elements than any request may have. Send fewer.`,
    ...(param === '' ? {} : { param }),
  })
}

/** What the schema makes of a body, or `invalid_request` naming the first field at fault. `under` is where the value stands in the body. */
export function parseWith<Value>(schema: z.ZodType<Value>, value: unknown, under?: string): Value {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const { path, message } = firstIssue(parsed.error)
  const param = [under, path].filter((part) => part !== undefined && part !== '').join('.')
  const where = param === '' ? 'The body' : `\`${param}\``
  throw new ApiError({
    code: 'invalid_request',
    message: `${where}: ${message}. Correct the field and send the request again.`,
    ...(param === '' ? {} : { param }),
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ApiError({ code: 'invalid_json', message: 'The body is not valid JSON. Send a JSON object.' })
  }
}

function tooLarge(): ApiError {
  return new ApiError({
    code: 'body_too_large',
    message: `The body is larger than ${MAX_BODY_BYTES} bytes. Send a shorter conversation.`,
  })
}
