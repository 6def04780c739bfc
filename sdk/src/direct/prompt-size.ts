import type { ChatRequest } from '@daisi/protocol/consumer'
import { utf8Length } from './consumer-key.ts'

/** Tokens of an answer that a token should have room for where the request names none, */
const USUAL_ANSWER_TOKENS = 2_048
/** and what Orc and Host allow it where they have room. */
const MOST_ANSWER_TOKENS = 4_096

/** Tokens, prompt and answer together. */
export interface TokenNeed {
  /** A token that has fewer left is replaced first. */
  readonly least: number
  /** What the request can take. */
  readonly most: number
}

type Prompt = Pick<ChatRequest, 'messages' | 'tools'>

/**
 * The tokens that a prompt can have at most (rule P4): every tokenizer makes at least one byte of each, and the template adds up to 64, 16 for each
 * message and call, and for tools up to 512, 16 for each, and their JSON once more.
 */
export function promptBound({ messages, tools = [] }: Prompt): number {
  let bound = 64
  for (const message of messages) {
    bound += 16 + utf8Length(textOf(message.content))
    if (message.role !== 'assistant') continue
    bound += utf8Length(message.reasoning_content ?? '')
    for (const { function: called } of message.tool_calls ?? [])
      bound += 16 + utf8Length(called.name) + utf8Length(called.arguments)
  }
  for (const { function: tool } of tools) bound += 16 + 2 * utf8Length(JSON.stringify(tool))
  return bound + (tools.length > 0 ? 512 : 0)
}

function textOf(content: ChatRequest['messages'][number]['content']): string {
  if (typeof content === 'string') return content
  return (content ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('')
}

/** The most tokens that the caller asked for, or undefined if it named none. */
export function requestedTokens(
  request: Pick<ChatRequest, 'max_tokens' | 'max_completion_tokens'>,
): number | undefined {
  return request.max_completion_tokens ?? request.max_tokens ?? undefined
}

/** What a request needs of a token. */
export function tokenNeed(
  request: Pick<ChatRequest, 'messages' | 'tools' | 'max_tokens' | 'max_completion_tokens'>,
): TokenNeed {
  const bound = promptBound(request)
  const requested = requestedTokens(request)
  return {
    least: bound + (requested ?? USUAL_ANSWER_TOKENS),
    most: bound + (requested ?? MOST_ANSWER_TOKENS),
  }
}
