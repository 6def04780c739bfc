import type { ChatRequest } from '@daisi/protocol/consumer'
import { utf8Length } from './consumer-key.ts'

/**
 * The tokens that a prompt can have at most: every tokenizer makes at least one byte of each, and the template adds up to 64, and
 * 16 for each message (rule P4).
 */
export function promptBound(messages: ChatRequest['messages']): number {
  let bound = 64
  for (const { content } of messages) {
    bound += 16 + utf8Length(typeof content === 'string' ? content : content.map(({ text }) => text).join(''))
  }
  return bound
}

/** The most tokens that the caller asked for, or undefined if it named none. */
export function requestedTokens(
  request: Pick<ChatRequest, 'max_tokens' | 'max_completion_tokens'>,
): number | undefined {
  return request.max_completion_tokens ?? request.max_tokens ?? undefined
}
