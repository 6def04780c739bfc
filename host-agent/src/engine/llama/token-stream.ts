import type { Sampling } from '@daisi/protocol'
import type { LlamaContextSequence, Token } from 'node-llama-cpp'
import { randomSeed, seedAt } from './seeds.ts'

/**
 * The tokens of an answer, one by one, the end-of-generation token included. Objects rather than async generators: each
 * generator around the library's own costs a few per cent of a small model's speed.
 */
export interface TokenStream {
  /** The next token; undefined if the library ends the stream by itself. */
  next(): Promise<Token | undefined>
  close(): Promise<void>
}

/** Evaluates `tokens`, the rest of the prompt, and goes on from there. `position` is the answer's first new place. */
export function openTokenStream(
  sequence: LlamaContextSequence,
  tokens: Token[],
  sampling: Sampling,
  position: number,
): TokenStream {
  return sampling.temperature === 0
    ? openGreedy(sequence, tokens)
    : openSeeded(sequence, tokens, sampling, position)
}

function openGreedy(sequence: LlamaContextSequence, tokens: Token[]): TokenStream {
  const evaluation = sequence.evaluateWithMetadata(tokens, {}, { temperature: 0, yieldEogToken: true })
  return {
    next: async () => (await evaluation.next()).value?.token,
    close: async () => {
      await evaluation.return()
    },
  }
}

/** One call per token, each with a seed of its own: a call restarts the library's random stream. */
function openSeeded(
  sequence: LlamaContextSequence,
  tokens: Token[],
  { temperature, topP, seed = randomSeed() }: Sampling,
  firstPosition: number,
): TokenStream {
  const fixed = { temperature, topP, topK: 0, minP: 0, yieldEogToken: true }
  let unevaluated = tokens
  let position = firstPosition
  return {
    next: async () => {
      const options = { ...fixed, seed: seedAt(seed, position++) }
      const evaluation = sequence.evaluateWithMetadata(unevaluated, {}, options)
      const token = (await evaluation.next()).value?.token
      await evaluation.return()
      if (token !== undefined) unevaluated = [token]
      return token
    },
    close: () => Promise.resolve(),
  }
}
