import type { JobUsage, OutputPart, RefusalCode, Refused, TokenLogprob } from '@daisi/protocol'
import type { JobEnding } from './job.ts'

/** Extra facts of a refusal. */
export interface RefusalFacts {
  readonly field?: NonNullable<Refused['field']>
  readonly promptTokens?: number
  readonly contextLength?: number
  readonly percent?: number
  readonly retryAfterSeconds?: number
}

/** A piece of an answer. */
export type JobOutput =
  | ({ readonly kind: 'text' } & AnswerOutput)
  /** `text` is the parts as JSON. */
  | ({ readonly kind: 'parts'; readonly parts: readonly OutputPart[] } & AnswerOutput)
  | { readonly kind: 'result'; readonly text: string; readonly last: boolean; readonly tokenCount: number }

interface AnswerOutput {
  readonly text: string
  /** Empty where the engine cannot know them. */
  readonly tokenIds: readonly number[]
  readonly tokenCount: number
  readonly logprobs?: readonly TokenLogprob[]
}

/** How the other side of a job hears of it: through an Orc (`OrcDelivery`), or directly. */
export interface JobDelivery {
  /** Bytes of frames that the engine may produce before a grant. */
  readonly windowBytes: number
  accepted(promptTokens: number, cachedTokens: number): void
  refused(code: RefusalCode, message: string, facts: RefusalFacts): void
  /** Takes a piece of the answer. May wait with it; false if it was not delivered, because nobody is there any more. */
  output(output: JobOutput): boolean | Promise<boolean>
  ended(end: JobEnding, usage: JobUsage): void
}
