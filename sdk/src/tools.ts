import type { ChatAnswer, ChatCompletion, ChatMessage, ChatToolCall } from '@daisi/protocol/consumer'
import { CallScope } from './call-scope.ts'
import type { Chat, ChatParameters } from './chat.ts'
import type { ChatStream } from './chat-stream.ts'
import { DaisiError } from './error.ts'
import type { RequestOptions } from './options.ts'
import { callTool, type Tool, toolDescription } from './tool.ts'

/** Turns of a model before it has to come to an end. */
const DEFAULT_MAX_TURNS = 10

/** What to answer with the help of tools. */
export interface ToolRunParameters extends Omit<ChatParameters, 'tools' | 'n'> {
  readonly tools: readonly Tool[]
  /** Answers of the model at most; default 10. */
  readonly maxTurns?: number | undefined
  /** Sees each answer while it comes. Without it answers are asked for whole. */
  readonly onStream?: ((stream: ChatStream) => unknown) | undefined
  /** Sees each result before the model does. */
  readonly onResult?: ((call: ChatToolCall, content: string) => unknown) | undefined
  /** Sees what a tool throws before the model does. What it throws itself ends the run. */
  readonly onError?: ((error: unknown, call: ChatToolCall) => unknown) | undefined
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
 * @throws {DaisiError} `max_turns_exceeded` if the model goes on calling, `aborted` if `signal` fires; else as `chat.create`.
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
  parameters: ToolRunParameters,
  options?: RequestOptions,
): Promise<ToolRun> {
  // Each answer has a timeout of its own; what tools take is theirs.
  const scope = new CallScope(Infinity, options?.signal)
  try {
    return await run(chat, parameters, options, scope)
  } catch (error) {
    // Tools of the same answer that still run are told.
    scope.abort(error)
    throw error
  } finally {
    scope.close()
  }
}

async function run(
  chat: Pick<Chat, 'create' | 'stream'>,
  { tools, maxTurns = DEFAULT_MAX_TURNS, onStream, onResult, onError, ...request }: ToolRunParameters,
  options: RequestOptions | undefined,
  scope: CallScope,
): Promise<ToolRun> {
  const { signal } = scope
  const described = tools.map(toolDescription)
  const messages: ChatMessage[] = [...request.messages]
  const completions: ChatCompletion[] = []
  while (completions.length < maxTurns) {
    // What had to be called was called: now the model may answer.
    const isFree = completions.length > 0 && request.tool_choice !== 'none'
    const choice = isFree ? { tool_choice: 'auto' as const } : {}
    const asked: ChatParameters = { ...request, ...choice, messages, tools: described }
    const named = { ...options, idempotencyKey: turnKey(options, completions.length) }
    const completion = onStream
      ? await streamed(chat, asked, named, onStream)
      : await chat.create(asked, named)
    completions.push(completion)
    const message = completion.choices[0]?.message
    if (message === undefined) break
    messages.push(asSent(message))
    const calls = message.tool_calls ?? []
    if (calls.length === 0) return { text: message.content ?? '', messages, completions }
    const running = calls.map((call) => callTool(tools, { call, signal }, onError))
    // A tool need not heed the signal: nobody waits for it then.
    const results = await scope.race(Promise.all(running))
    for (const [index, call] of calls.entries()) {
      const content = results[index] ?? ''
      await onResult?.(call, content)
      messages.push({ role: 'tool', tool_call_id: call.id, content })
    }
  }
  const text = `The model still calls tools after ${maxTurns} answers. Raise maxTurns, or look at what it calls.`
  throw new DaisiError(text, { code: 'max_turns_exceeded', isRetryable: false })
}

/** Each answer of a run that has a name is a piece of work of its own. */
function turnKey(options: RequestOptions | undefined, turn: number): string | undefined {
  const key = options?.idempotencyKey
  return key === undefined ? undefined : `${key}-${turn}`
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

/** An answer as a message of the next request. */
function asSent({ role, content, tool_calls: calls, reasoning_content: reasoning }: ChatAnswer): ChatMessage {
  return {
    role,
    content,
    ...(calls && { tool_calls: calls }),
    ...(reasoning && { reasoning_content: reasoning }),
  }
}
