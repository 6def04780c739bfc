import type {
  ChatAnswer,
  ChatCompletion,
  ChatMessage,
  ChatTool,
  ChatToolCall,
} from '@daisi/protocol/consumer'
import type { Chat, ChatParameters } from './chat.ts'
import type { ChatStream } from './chat-stream.ts'
import { DaisiError, invalidArgument } from './error.ts'
import type { RequestOptions } from './options.ts'
import { jsonSchemaOf, type SchemaPair, type StandardSchema, validate } from './standard-schema.ts'

/** Turns of a model before it has to come to an end. */
const DEFAULT_MAX_TURNS = 10

/** Something that a model may have done. */
export interface Tool<Input = never> {
  readonly name: string
  /** For the model: what it does and when to use it. */
  readonly description?: string | undefined
  /** What it takes, an object: a Standard Schema, with a JSON Schema beside it where its library writes none. Absent: nothing. */
  readonly parameters?: StandardSchema<Input> | SchemaPair<Input> | undefined
  /** Does it. What it answers is sent to the model, as JSON where it is no text; so is the message of what it throws. */
  readonly run: (input: Input, context: ToolContext) => unknown
}

/** What a tool may want to know. */
export interface ToolContext {
  readonly call: ChatToolCall
  /** Fires when the run is given up. */
  readonly signal: AbortSignal | undefined
}

/** A tool whose input has the type of its schema. */
export function tool<Input>(definition: Tool<Input>): Tool {
  return definition as unknown as Tool
}

/** What to answer with the help of tools. */
export interface ToolRunParameters extends Omit<ChatParameters, 'tools' | 'n'> {
  readonly tools: readonly Tool[]
  /** Answers of the model at most; default 10. */
  readonly maxTurns?: number | undefined
  /** Sees each answer while it comes. Without it answers are asked for whole. */
  readonly onStream?: ((stream: ChatStream) => unknown) | undefined
  /** Sees each result before the model does. */
  readonly onResult?: ((call: ChatToolCall, content: string) => unknown) | undefined
}

/** How a run ended. */
export interface ToolRun {
  /** The last answer's text. */
  readonly text: string
  /** The whole conversation, the last answer included: to go on with. */
  readonly messages: readonly ChatMessage[]
  /** Each answer of the model, in order. */
  readonly completions: readonly ChatCompletion[]
}

/**
 * Answers with the help of tools: runs what the model calls, calls of one answer together, and asks it again until it answers
 * without a call.
 *
 * @throws {DaisiError} `max_turns_exceeded` if the model goes on calling; else as `chat.create`.
 * @example
 * ```ts
 * const weather = tool({
 *   name: 'get_weather',
 *   description: 'Get the current weather for a city',
 *   parameters: z.object({ city: z.string() }),
 *   run: ({ city }) => ({ city, temperature: 21, condition: 'sunny' }),
 * })
 * const { text } = await runTools(daisi.chat, { model: 'daisi-nano', messages, tools: [weather] })
 * ```
 */
export async function runTools(
  chat: Pick<Chat, 'create' | 'stream'>,
  { tools, maxTurns = DEFAULT_MAX_TURNS, onStream, onResult, ...request }: ToolRunParameters,
  options?: RequestOptions,
): Promise<ToolRun> {
  const described = tools.map(describe)
  const messages: ChatMessage[] = [...request.messages]
  const completions: ChatCompletion[] = []
  while (completions.length < maxTurns) {
    const asked: ChatParameters = {
      ...request,
      messages,
      tools: described,
      // What had to be called was called: now the model may answer.
      ...(completions.length > 0 &&
        typeof request.tool_choice !== 'string' && { tool_choice: 'auto' as const }),
      ...(completions.length > 0 && request.tool_choice === 'required' && { tool_choice: 'auto' as const }),
    }
    const completion = onStream
      ? await streamed(chat, asked, options, onStream)
      : await chat.create(asked, options)
    completions.push(completion)
    const message = completion.choices[0]?.message
    if (message === undefined) break
    messages.push(asSent(message))
    const calls = message.tool_calls ?? []
    if (calls.length === 0) return { text: message.content ?? '', messages, completions }
    const results = await Promise.all(calls.map((call) => runCall(call, tools, options?.signal)))
    options?.signal?.throwIfAborted()
    for (const [index, call] of calls.entries()) {
      const content = results[index] ?? ''
      await onResult?.(call, content)
      messages.push({ role: 'tool', tool_call_id: call.id, content })
    }
  }
  const text = `The model still calls tools after ${maxTurns} answers. Raise maxTurns, or look at what it calls.`
  throw new DaisiError(text, { code: 'max_turns_exceeded', isRetryable: false })
}

async function streamed(
  chat: Pick<Chat, 'stream'>,
  request: ChatParameters,
  options: RequestOptions | undefined,
  onStream: (stream: ChatStream) => unknown,
): Promise<ChatCompletion> {
  const stream = await chat.stream(request, options)
  await onStream(stream)
  return stream.final()
}

/** What a call comes to, for the model to read. */
async function runCall(
  call: ChatToolCall,
  tools: readonly Tool[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const { name, arguments: text } = call.function
  const called = tools.find((candidate) => candidate.name === name)
  if (called === undefined) return `Error: there is no tool ${name}.`
  try {
    let input: unknown = JSON.parse(text)
    if (called.parameters !== undefined) {
      const schema = 'schema' in called.parameters ? called.parameters.schema : called.parameters
      const checked = await validate<unknown>(schema, input)
      if ('problem' in checked) return `Error: the arguments do not fit: ${checked.problem}`
      input = checked.value
    }
    const result = await (called.run as (input: unknown, context: ToolContext) => unknown)(input, {
      call,
      signal,
    })
    return typeof result === 'string' ? result : (JSON.stringify(result) ?? '')
  } catch (error) {
    return `Error: ${error instanceof Error ? error.message : String(error)}`
  }
}

function describe({ name, description, parameters }: Tool): ChatTool {
  if (parameters === undefined) return { type: 'function', function: { name, description } }
  const written = 'schema' in parameters ? parameters.jsonSchema : jsonSchemaOf(parameters)
  if (written !== undefined) return { type: 'function', function: { name, description, parameters: written } }
  throw invalidArgument(
    'tools',
    `The library of the schema of ${name} writes no JSON Schema: pass { schema, jsonSchema }.`,
  )
}

/** An answer as a message of the next request. */
function asSent({ role, content, tool_calls: calls, reasoning_content: reasoning }: ChatAnswer): ChatMessage {
  return {
    role,
    content,
    ...(calls && { tool_calls: calls }),
    ...(reasoning && { reasoning_content: reasoning }),
  }
}
