import type Anthropic from '@anthropic-ai/sdk'
import type { AnsweredCall, WholeAnswer } from '../answer.ts'
import type { FinishReason, JobUsage } from '../host/job.ts'

/** What stays the same over all events of one answer. */
export interface MessageIdentity {
  /** Begins with `msg_`. */
  readonly id: string
  readonly model: string
  readonly requestId: string
}

/** The whole answer to one request. */
export function wholeMessage(
  identity: MessageIdentity,
  { text, reasoning, calls, reason, usage }: WholeAnswer,
): Anthropic.Message {
  const content: Anthropic.ContentBlock[] = []
  if (reasoning !== '') content.push(thinkingBlock(reasoning))
  if (text !== '') content.push(textBlock(text))
  for (const [number, call] of calls.entries()) {
    const input = inputOf(call)
    // Cut short by `max_tokens` it is no JSON, and nobody could act on it.
    if (input !== undefined) content.push(toolUseBlock(identity, number, call.name, input))
  }
  return {
    ...emptyMessage(identity, usage),
    content,
    stop_reason: stopReason(reason),
    usage: messageUsage(usage),
  }
}

/** A message of which nothing has come yet. */
export function emptyMessage(
  { id, model }: MessageIdentity,
  prompt: Pick<JobUsage, 'promptTokens' | 'cachedTokens'>,
): Anthropic.Message {
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
    usage: messageUsage({ ...prompt, generatedTokens: 0 }),
  }
}

/** Why an answer ended. Which of the stop strings ended it Hosts do not say: `end_turn`. */
export function stopReason(reason: FinishReason): Anthropic.StopReason {
  if (reason === 'length') return 'max_tokens'
  return reason === 'tool-calls' ? 'tool_use' : 'end_turn'
}

/** What an answer took. What was reused of an earlier prompt is not among `input_tokens`. */
function messageUsage(usage: JobUsage): Anthropic.Usage {
  return {
    ...tokenCounts(usage),
    cache_creation: null,
    service_tier: 'standard',
    inference_geo: null,
    speed: null,
  }
}

/** The numbers among it, as the end of a stream repeats them. */
export function tokenCounts({ promptTokens, cachedTokens, generatedTokens }: JobUsage): Counts {
  return {
    input_tokens: promptTokens - cachedTokens,
    cache_read_input_tokens: cachedTokens,
    cache_creation_input_tokens: 0,
    output_tokens: generatedTokens,
    output_tokens_details: null,
    server_tool_use: null,
  }
}

interface Counts extends Anthropic.MessageDeltaUsage {
  input_tokens: number
}

export function textBlock(text: string): Anthropic.TextBlock {
  return { type: 'text', text, citations: null }
}

/** Thoughts are not signed: whoever sends them back may have written them. */
export function thinkingBlock(thinking: string): Anthropic.ThinkingBlock {
  return { type: 'thinking', thinking, signature: '' }
}

export function toolUseBlock(
  { id }: MessageIdentity,
  call: number,
  name: string,
  input: object,
): Anthropic.ToolUseBlock {
  return {
    type: 'tool_use',
    id: `toolu_${id.replace(/^msg_/, '')}${String(call).padStart(3, '0')}`,
    name,
    input,
    caller: { type: 'direct' },
  }
}

/** The arguments of a call, if they are all there. */
function inputOf({ arguments: text }: Pick<AnsweredCall, 'arguments'>): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
