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

/**
 * The tokens that a prompt can have at most: every tokenizer makes at least one byte of each, and the template adds up to 64, and
 * 16 for each message (rule P4).
 */
export function promptBound(messages: ChatRequest['messages']): number {
  let bound = 64
  for (const { content } of messages) {
    bound +=
      16 +
      utf8Length(
        typeof content === 'string'
          ? content
          : (content ?? []).map((part) => (part.type === 'text' ? part.text : '')).join(''),
      )
  }
  return bound
}

/** The most tokens that the caller asked for, or undefined if it named none. */
export function requestedTokens(
  request: Pick<ChatRequest, 'max_tokens' | 'max_completion_tokens'>,
): number | undefined {
  return request.max_completion_tokens ?? request.max_tokens ?? undefined
}

/** What a request needs of a token. */
export function tokenNeed(
  request: Pick<ChatRequest, 'messages' | 'max_tokens' | 'max_completion_tokens'>,
): TokenNeed {
  const bound = promptBound(request.messages)
  const requested = requestedTokens(request)
  return {
    least: bound + (requested ?? USUAL_ANSWER_TOKENS),
    most: bound + (requested ?? MOST_ANSWER_TOKENS),
  }
}
