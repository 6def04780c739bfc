import type OpenAI from 'openai'
import type { WholeAnswer } from '../answer.ts'
import type {
  ChatChoice,
  ChatCompletion,
  ChatLogprobs,
  FinishReason,
  TokenProbability,
} from '../consumer/chat.ts'
import type { TokenLogprob } from '../host/chat-payload.ts'
import type { FinishReason as HostFinishReason } from '../host/job.ts'
import { completionUsage } from './usage.ts'

/** What stays the same over all parts of one answer. */
export interface CompletionIdentity {
  readonly id: string
  /** Seconds since the epoch. */
  readonly created: number
  readonly model: string
}

/** Whole answers to one request: a choice each. */
export function chatCompletion(
  identity: CompletionIdentity,
  answers: readonly WholeAnswer[],
): ChatCompletion {
  return {
    id: identity.id,
    object: 'chat.completion',
    created: identity.created,
    model: identity.model,
    choices: answers.map((answer, index) => choice(identity, answer, index)),
    usage: completionUsage(answers.map(({ usage }) => usage)),
  } satisfies OpenAI.ChatCompletion
}

function choice({ id }: CompletionIdentity, answer: WholeAnswer, index: number): ChatChoice {
  const { text, reasoning, calls, logprobs } = answer
  return {
    index,
    message: {
      role: 'assistant',
      content: text === '' && calls.length > 0 ? null : text,
      refusal: null,
      ...(reasoning !== '' && { reasoning_content: reasoning }),
      ...(calls.length > 0 && {
        tool_calls: calls.map((call, number) => ({
          id: toolCallId(id, index, number),
          type: 'function' as const,
          function: { name: call.name, arguments: call.arguments },
        })),
      }),
    },
    logprobs: logprobs === undefined ? null : chatLogprobs(logprobs),
    finish_reason: finishWord(answer.reason),
  }
}

/** The id of a call: unique, and the same in every part of its answer. */
export function toolCallId(answerId: string, choiceIndex: number, call: number): string {
  return `call_${answerId.replace(/^[^-_]*[-_]/, '').slice(0, 24)}${choiceIndex}${String(call).padStart(3, '0')}`
}

/** Why an answer ended, in OpenAI's words. */
export function finishWord(reason: HostFinishReason): FinishReason {
  return reason === 'tool-calls' ? 'tool_calls' : reason
}

/** How likely tokens were, in OpenAI's shape. */
export function chatLogprobs(logprobs: readonly TokenLogprob[]): ChatLogprobs {
  const content = logprobs.map((entry) => ({
    ...probability(entry),
    top_logprobs: entry.top.map(probability),
  }))
  return { content, refusal: null }
}

const encoder = new TextEncoder()

/** A token that is a part of a character has no bytes that could be told from its text. */
function probability({ token, logprob }: Pick<TokenLogprob, 'token' | 'logprob'>): TokenProbability {
  return { token, logprob, bytes: token.includes('\uFFFD') ? null : [...encoder.encode(token)] }
}
