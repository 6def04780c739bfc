import * as z from 'zod'
import { sampling } from '../host/chat-payload.ts'
import type { TokenSampling } from './sampling.ts'

const repeatPenalty = z.number().gt(0).max(10).nullish()

/** Fields of `TokenSampling`, for the bodies of chats and completions. */
export const tokenSampling = {
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  stop: z.union([z.string().min(1).max(256), z.array(z.string().min(1).max(256)).max(4)]).nullish(),
  seed: z.int().nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  logit_bias: sampling.shape.logitBias.nullable(),
  // Not OpenAI's: as llama.cpp and vLLM name them.
  top_k: z.int().min(-1).max(1_000_000).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repeat_penalty: repeatPenalty,
  repetition_penalty: repeatPenalty,
} as const satisfies { [Name in keyof TokenSampling]-?: z.ZodType<TokenSampling[Name]> }

/** Fields that say how an answer is sent. */
export const streaming = {
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
} as const
