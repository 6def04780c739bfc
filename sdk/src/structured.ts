import type { ChatCompletion } from '@daisi/protocol/consumer'
import type { Chat, ChatParameters } from './chat.ts'
import { DaisiError, invalidArgument } from './error.ts'
import type { RequestOptions } from './options.ts'
import { jsonSchemaOf, type SchemaPair, type StandardSchema, validate } from './standard-schema.ts'

/** What to answer in the form of a schema. */
export interface StructuredParameters<Output> extends Omit<ChatParameters, 'response_format' | 'n'> {
  /** A Standard Schema, with a JSON Schema beside it where its library writes none. */
  readonly schema: StandardSchema<Output> | SchemaPair<Output>
  /** Its name for the model. Default: `answer`. */
  readonly schemaName?: string | undefined
}

/** An answer in the form of a schema. */
export interface StructuredAnswer<Output> {
  readonly value: Output
  readonly completion: ChatCompletion
}

/**
 * An answer that fits a schema: a grammar on the Host sees to its form, and the schema itself checks it here.
 *
 * @throws {DaisiError} `invalid_output` if the answer was cut off, or the schema wants more than its JSON Schema says.
 * @example
 * ```ts
 * const person = z.object({ name: z.string(), age: z.number() })
 * const { value } = await parseChat(daisi.chat, { model: 'daisi-nano', messages, schema: person })
 * console.log(value.name, value.age + 1)
 * ```
 */
export async function parseChat<Output>(
  chat: Pick<Chat, 'create'>,
  { schema, schemaName = 'answer', ...request }: StructuredParameters<Output>,
  options?: RequestOptions,
): Promise<StructuredAnswer<Output>> {
  const pair = 'schema' in schema ? schema : { schema, jsonSchema: jsonSchemaOf(schema) }
  if (pair.jsonSchema === undefined) {
    throw invalidArgument(
      'schema',
      'The library of this schema writes no JSON Schema: pass { schema, jsonSchema }.',
    )
  }
  const json_schema = { name: schemaName, schema: pair.jsonSchema, strict: true }
  const response_format = { type: 'json_schema', json_schema } as const
  const completion = await chat.create({ ...request, response_format }, options)
  const [choice] = completion.choices
  let value: unknown
  try {
    value = JSON.parse(choice?.message.content ?? '')
  } catch (cause) {
    const message = `The answer is no whole JSON (finish_reason ${choice?.finish_reason}). Ask for more tokens.`
    throw invalidOutput(message, cause)
  }
  const checked = await validate(pair.schema, value)
  if ('problem' in checked) throw invalidOutput(`The answer does not fit the schema: ${checked.problem}`)
  return { value: checked.value, completion }
}

function invalidOutput(message: string, cause?: unknown): DaisiError {
  return new DaisiError(message, { code: 'invalid_output', isRetryable: true, cause })
}
