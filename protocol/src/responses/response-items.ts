import type OpenAI from 'openai'
import type {
  ResponseFunctionCall,
  ResponseOutputItem,
  ResponseOutputMessage,
  ResponseOutputText,
  ResponseReasoning,
  ResponseTokenLogprob,
  ResponseTokenProbability,
} from '../consumer/responses.ts'
import type { TokenLogprob } from '../host/chat-payload.ts'
import { toolCallId } from '../openai/chat-answer.ts'

/** A state in which an item can be. */
type ItemStatus = ResponseOutputItem['status']

/** What makes ids of items: that of their answer, and their place in it. */
export interface ItemPlace {
  readonly responseId: string
  readonly outputIndex: number
}

/** The id of an item: unique, and the same in every event about it. */
function itemId(prefix: string, { responseId, outputIndex }: ItemPlace): string {
  return `${prefix}_${responseId.replace(/^[^_]*_/, '')}${String(outputIndex).padStart(3, '0')}`
}

/** What the model said. Without content it is one that begins. */
export function messageItem(
  place: ItemPlace,
  content: ResponseOutputText[],
  status: ItemStatus,
): ResponseOutputMessage {
  const id = itemId('msg', place)
  const item: ResponseOutputMessage = { type: 'message', id, role: 'assistant', status, content }
  return item satisfies OpenAI.Responses.ResponseOutputMessage
}

export function outputText(text: string, logprobs: readonly TokenLogprob[]): ResponseOutputText {
  const part: ResponseOutputText = {
    type: 'output_text',
    text,
    annotations: [],
    logprobs: responseLogprobs(logprobs),
  }
  return part satisfies OpenAI.Responses.ResponseOutputText
}

/** What it thought. */
export function reasoningItem(
  place: ItemPlace,
  texts: readonly string[],
  status: ItemStatus,
): ResponseReasoning {
  const item: ResponseReasoning = {
    type: 'reasoning',
    id: itemId('rs', place),
    summary: [],
    content: texts.map((text) => ({ type: 'reasoning_text', text })),
    status,
  }
  return item satisfies OpenAI.Responses.ResponseReasoningItem
}

/** What it called. `call` is the number of the call in its answer. */
export function callItem(
  place: ItemPlace,
  call: number,
  called: { readonly name: string; readonly arguments: string },
  status: ItemStatus,
): ResponseFunctionCall {
  const item: ResponseFunctionCall = {
    type: 'function_call',
    id: itemId('fc', place),
    call_id: toolCallId(place.responseId, 0, call),
    name: called.name,
    arguments: called.arguments,
    status,
  }
  return item satisfies OpenAI.Responses.ResponseFunctionToolCall
}

/** How likely tokens were. */
export function responseLogprobs(logprobs: readonly TokenLogprob[]): ResponseTokenLogprob[] {
  return logprobs.map((entry) => ({ ...probability(entry), top_logprobs: entry.top.map(probability) }))
}

const encoder = new TextEncoder()

/** A token that is a part of a character has no bytes that could be told from its text. */
function probability({ token, logprob }: Pick<TokenLogprob, 'token' | 'logprob'>): ResponseTokenProbability {
  return { token, logprob, bytes: token.includes('\uFFFD') ? [] : [...encoder.encode(token)] }
}
