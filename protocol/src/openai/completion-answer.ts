import type OpenAI from 'openai'
import type { WholeAnswer } from '../answer.ts'
import type { Completion, CompletionChoice, CompletionLogprobs } from '../consumer/completions.ts'
import type { TokenLogprob } from '../host/chat-payload.ts'
import type { FinishReason } from '../host/job.ts'
import type { CompletionIdentity } from './chat-answer.ts'
import { completionUsage } from './usage.ts'

/** Whole answers to one request: a choice each. `echoed` has what each begins with. */
export function textCompletion(
  { id, created, model }: CompletionIdentity,
  answers: readonly WholeAnswer[],
  echoed: readonly string[],
): Completion {
  return {
    id,
    object: 'text_completion',
    created,
    model,
    choices: answers.map(({ text, logprobs, reason }, index): CompletionChoice & OpenAI.CompletionChoice => ({
      index,
      text: (echoed[index] ?? '') + text,
      logprobs: logprobs === undefined ? null : completionLogprobs(logprobs, 0),
      finish_reason: completionFinish(reason),
    })),
    usage: completionUsage(answers.map(({ usage }) => usage)),
  } satisfies OpenAI.Completion
}

/** Why an answer ended. A completion calls nothing. */
export function completionFinish(reason: FinishReason): 'stop' | 'length' {
  return reason === 'length' ? 'length' : 'stop'
}

/** How likely tokens were, in OpenAI's older shape. `offset` is the length of the text before them. */
export function completionLogprobs(logprobs: readonly TokenLogprob[], offset: number): CompletionLogprobs {
  const tokens = logprobs.map(({ token }) => token)
  let end = offset
  return {
    tokens,
    text_offset: tokens.map(({ length }) => (end += length) - length),
    token_logprobs: logprobs.map(({ logprob }) => logprob),
    top_logprobs: logprobs.map(({ top }) =>
      Object.fromEntries(top.map(({ token, logprob }) => [token, logprob])),
    ),
  }
}
