import type { TokenLogprob } from '@daisi/protocol'
import type { LlamaModel, Token } from 'node-llama-cpp'
import type { SampleWithProbabilities } from './native.ts'

/** Stands for a probability too small for the numbers that it is computed with: JSON has no infinity. */
const LOWEST_LOGPROB = -104

/** Longest text of a token that is reported, so that no vocabulary makes a frame too large. */
const LONGEST_TOKEN_TEXT = 128

/** What a sampled token's probability was, and the most likely tokens in its place. */
export function readLogprob(
  model: LlamaModel,
  { token, probabilities }: SampleWithProbabilities,
  top: number,
): TokenLogprob {
  const named = Math.min(top, probabilities.length / 2)
  return {
    ...describe(model, token, probabilityOf(token, probabilities)),
    top: Array.from({ length: named }, (_, index) =>
      describe(model, probabilities[index * 2] as Token, probabilities[index * 2 + 1] ?? 0),
    ),
  }
}

function probabilityOf(token: Token, probabilities: readonly number[]): number {
  for (let index = 0; index < probabilities.length; index += 2)
    if (probabilities[index] === token) return probabilities[index + 1] ?? 0
  return 0
}

function describe(model: LlamaModel, token: Token, probability: number): { token: string; logprob: number } {
  return {
    token: model.detokenize([token], true).slice(0, LONGEST_TOKEN_TEXT),
    logprob: probability > 0 ? Math.log(probability) : LOWEST_LOGPROB,
  }
}
