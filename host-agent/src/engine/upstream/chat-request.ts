import type { Sampling } from '@daisi/protocol'
import type { ChatJob, EngineRefusal } from '../engine.ts'
import type { Dialect } from './dialect.ts'
import type { PromptSize } from './prompt-size.ts'
import type { TextModel } from './text-model.ts'

/** Seeds are below this: servers keep them in 32 bits and take -1 for "any". */
const SEED_RANGE = 2_147_483_647

export type ChatRequestResult =
  | { readonly ok: true; readonly body: object }
  | { readonly ok: false; readonly refusal: EngineRefusal }

/**
 * The body of `POST /v1/chat/completions` for a job. What the server cannot do, or is not known to, is refused and never left
 * out; another Host may be able to. A parameter that the job leaves out is the server's own default.
 */
export function chatRequest(
  job: ChatJob,
  model: TextModel,
  dialect: Dialect,
  size: PromptSize,
): ChatRequestResult {
  const unsupported = firstUnsupported(job, dialect)
  if (unsupported !== undefined)
    return refused('unsupported_kind', `the server behind this model takes no ${unsupported}`)
  const { contextLength } = model
  const output = job.output && dialect.output?.(job.output)
  if (dialect.cutsPrompts && size.least > contextLength) {
    const message = `the prompt does not fit into a context of ${contextLength} tokens; shorten it`
    const promptTokens = size.estimate
    return { ok: false, refusal: { code: 'context_length_exceeded', promptTokens, contextLength, message } }
  }
  return {
    ok: true,
    body: {
      model: model.serverName,
      messages: job.messages.map(({ role, content }) => ({ role, content })),
      stream: true,
      stream_options: { include_usage: true, ...dialect.streamOptions },
      ...samplingFields(job.sampling, dialect),
      ...tokenLimit(job.sampling.maxTokens, contextLength - size.estimate, dialect),
      ...output,
    },
  }
}

/** What a job asks for and the server cannot do, in the words of the API; undefined if there is nothing. */
function firstUnsupported(job: ChatJob, dialect: Dialect): string | undefined {
  const { sampling, output } = job
  const can = (name: Dialect['capabilities'][number]): boolean => dialect.capabilities.includes(name)
  const asked: readonly (readonly [string, boolean, boolean])[] = [
    ['continuation', job.continuation.length > 0, false],
    ['logprobs', job.logprobs !== undefined, false],
    ['grammar', output?.type === 'grammar', can('grammar')],
    ['response_format', output !== undefined && output.type !== 'grammar', can('json-schema')],
    ['top_k', sampling.topK !== undefined, can('top-k')],
    ['min_p', sampling.minP !== undefined, can('min-p')],
    ['repeat_penalty', sampling.repeatPenalty !== undefined, can('repeat-penalty')],
    ['frequency_penalty', sampling.frequencyPenalty !== undefined, can('penalties')],
    ['presence_penalty', sampling.presencePenalty !== undefined, can('penalties')],
    ['logit_bias', sampling.logitBias !== undefined, can('logit-bias')],
    ['seed', sampling.seed !== undefined, can('seed')],
  ]
  return asked.find(([, isAsked, isPossible]) => isAsked && !isPossible)?.[0]
}

function samplingFields(sampling: Sampling, dialect: Dialect): object {
  const { temperature, topP, topK, minP, repeatPenalty, logitBias, seed, stop } = sampling
  const { frequencyPenalty, presencePenalty } = sampling
  return {
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { top_p: topP }),
    ...(topK !== undefined && dialect.topK?.(topK)),
    ...(minP !== undefined && { min_p: minP }),
    ...(repeatPenalty !== undefined && dialect.repeatPenalty?.(repeatPenalty)),
    ...(frequencyPenalty !== undefined && { frequency_penalty: frequencyPenalty }),
    ...(presencePenalty !== undefined && { presence_penalty: presencePenalty }),
    ...(logitBias !== undefined && dialect.logitBias?.(logitBias)),
    ...(seed !== undefined && { seed: ((seed % SEED_RANGE) + SEED_RANGE) % SEED_RANGE }),
    ...(stop.length > 0 && { stop }),
  }
}

/**
 * The limit of the answer. Strict servers refuse one that might not fit: they get none, and so go on to the end of the context; the
 * job's own limit is kept by whoever counts the chunks.
 */
function tokenLimit(maxTokens: number, room: number, { isStrict }: Dialect): object {
  return isStrict && maxTokens > room ? {} : { max_tokens: maxTokens }
}

function refused(code: 'unsupported_kind', message: string): ChatRequestResult {
  return { ok: false, refusal: { code, message } }
}
