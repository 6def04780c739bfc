import type { JobUsage, RefusalCode } from '@daisi/protocol'
import type { JobEnding } from './job.ts'

/** Extra facts of a refusal. */
export interface RefusalNumbers {
  readonly promptTokens?: number
  readonly contextLength?: number
}

/** How the other side of a job hears of it: through an Orc (`OrcDelivery`), or directly. */
export interface JobDelivery {
  /** Bytes of frames that the engine may produce before a grant. */
  readonly windowBytes: number
  accepted(promptTokens: number, cachedTokens: number): void
  refused(code: RefusalCode, message: string, numbers: RefusalNumbers): void
  /** Takes a piece of the answer. May wait with it; false if it was not delivered, because nobody is there any more. */
  output(text: string, tokenIds: readonly number[]): boolean | Promise<boolean>
  ended(end: JobEnding, usage: JobUsage): void
}
