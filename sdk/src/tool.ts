import type { ChatTool, ChatToolCall } from '@daisi/protocol/consumer'
import { invalidArgument } from './error.ts'
import { jsonSchemaOf, type SchemaPair, type StandardSchema, validate } from './standard-schema.ts'

/** Something that a model may have done. */
export interface Tool<Input = never> {
  readonly name: string
  /** For the model: what it does and when to use it. */
  readonly description?: string | undefined
  /**
   * What it takes, an object: a Standard Schema, with a JSON Schema beside it where its library writes none. A JSON Schema alone holds the model to it where its Host
   * can, but nothing is checked here. Absent: nothing.
   */
  readonly parameters?: StandardSchema<Input> | SchemaPair<Input> | ToolJsonSchema | undefined
  /** Does it. What it answers is sent to the model, as JSON where it is no text; so is the message of what it throws. */
  readonly run: (input: Input, context: ToolContext) => unknown
}

/** A JSON Schema of an object. */
export interface ToolJsonSchema {
  readonly type: string
  readonly [keyword: string]: unknown
}

/** What a tool may want to know. */
export interface ToolContext {
  readonly call: ChatToolCall
  /** Fires when the run is given up, or fails. */
  readonly signal: AbortSignal
}

/** A tool whose input has the type of its schema. */
export function tool<Input>(definition: Tool<Input>): Tool {
  return definition as unknown as Tool
}

/** A tool in the words of a request. */
export function toolDescription({ name, description, parameters }: Tool): ChatTool {
  if (parameters === undefined) return { type: 'function', function: { name, description } }
  const written = writtenSchema(parameters)
  if (written !== undefined) return { type: 'function', function: { name, description, parameters: written } }
  throw invalidArgument(
    'tools',
    `The library of the schema of ${name} writes no JSON Schema: pass { schema, jsonSchema }.`,
  )
}

/** What a call comes to, for the model to read. `onError` sees what the tool throws first, and may throw to end it all. */
export async function callTool(
  tools: readonly Tool[],
  context: ToolContext,
  onError: ((error: unknown, call: ChatToolCall) => unknown) | undefined,
): Promise<string> {
  const { call } = context
  const called = tools.find(({ name }) => name === call.function.name)
  if (called === undefined) return `Error: there is no tool ${call.function.name}.`
  const input = await inputOf(called, call.function.arguments)
  if ('problem' in input) return `Error: the arguments do not fit: ${input.problem}`
  try {
    const run = called.run as (input: unknown, context: ToolContext) => unknown
    const result = await run(input.value, context)
    return typeof result === 'string' ? result : (JSON.stringify(result) ?? '')
  } catch (error) {
    await onError?.(error, call)
    return `Error: ${error instanceof Error ? error.message : String(error)}`
  }
}

async function inputOf(
  { parameters }: Tool,
  text: string,
): Promise<{ readonly value: unknown } | { readonly problem: string }> {
  let value: unknown
  try {
    // Some models write nothing where a tool takes nothing.
    value = JSON.parse(text.trim() || '{}')
  } catch {
    return { problem: 'they are not JSON' }
  }
  const schema = parameters && checkingSchema(parameters)
  return schema === undefined ? { value } : await validate<unknown>(schema, value)
}

type Parameters = NonNullable<Tool['parameters']>

function checkingSchema(parameters: Parameters): StandardSchema | undefined {
  if (isStandard(parameters)) return parameters
  return isPair(parameters) ? parameters.schema : undefined
}

function writtenSchema(parameters: Parameters): Record<string, unknown> | undefined {
  if (isStandard(parameters)) return jsonSchemaOf(parameters)
  return isPair(parameters) ? parameters.jsonSchema : { ...parameters }
}

function isStandard(parameters: Parameters): parameters is StandardSchema<never> {
  return '~standard' in parameters
}

function isPair(parameters: SchemaPair<never> | ToolJsonSchema): parameters is SchemaPair<never> {
  return 'jsonSchema' in parameters
}
