import type { TokenLogprob } from '@daisi/protocol'
import type { LlamaContextSequence, Token } from 'node-llama-cpp'
import { readLogprob } from './logprobs.ts'
import { ProbabilitySampler } from './native.ts'
import type { TokenChoice } from './sampling.ts'
import { seedAt } from './seeds.ts'

/** One token of an answer, the one that ends it included. */
export interface SampledToken {
  readonly token: Token
  /** If it was asked for. */
  readonly logprob?: TokenLogprob
}

/**
 * The tokens of an answer, one by one. Objects rather than async generators: each generator around the library's own costs
 * a few per cent of a small model's speed.
 */
export interface TokenStream {
  /** The next token; undefined if the library ends the stream by itself. */
  next(): Promise<SampledToken | undefined>
  close(): Promise<void>
}

/** Evaluates `tokens`, the rest of the prompt, and goes on from there. `position` is the answer's first new place. */
export function openTokenStream(
  sequence: LlamaContextSequence,
  tokens: Token[],
  choice: TokenChoice,
  position: number,
  /** Most likely tokens to name beside each token; undefined: no log probabilities. */
  logprobs?: number,
): TokenStream {
  if (logprobs !== undefined) return openWithLogprobs(sequence, tokens, choice, position, logprobs)
  return choice.seed === undefined
    ? openGreedy(sequence, tokens, choice)
    : openSeeded(sequence, tokens, choice, choice.seed, position)
}

function openGreedy(sequence: LlamaContextSequence, tokens: Token[], choice: TokenChoice): TokenStream {
  const evaluation = sequence.evaluateWithMetadata(tokens, {}, choice.options)
  return {
    next: async () => (await evaluation.next()).value ?? undefined,
    close: async () => {
      await evaluation.return()
    },
  }
}

/** One call per token, each with a seed of its own: a call restarts the library's random stream. */
function openSeeded(
  sequence: LlamaContextSequence,
  tokens: Token[],
  choice: TokenChoice,
  seed: number,
  firstPosition: number,
): TokenStream {
  let unevaluated = tokens
  let position = firstPosition
  return {
    next: async () => {
      const options = { ...choice.options, seed: seedAt(seed, position++) }
      const evaluation = sequence.evaluateWithMetadata(unevaluated, {}, options)
      const sampled = (await evaluation.next()).value ?? undefined
      await evaluation.return()
      if (sampled !== undefined) unevaluated = [sampled.token]
      return sampled
    },
    close: () => Promise.resolve(),
  }
}

function openWithLogprobs(
  sequence: LlamaContextSequence,
  tokens: Token[],
  choice: TokenChoice,
  firstPosition: number,
  top: number,
): TokenStream {
  const sampler = new ProbabilitySampler(sequence)
  let unevaluated = tokens
  let position = firstPosition
  return {
    next: async () => {
      const seed = choice.seed === undefined ? {} : { seed: seedAt(choice.seed, position++) }
      const sample = await sampler.next(unevaluated, { ...choice.options, ...seed })
      if (sample === undefined) return undefined
      unevaluated = [sample.token]
      return { token: sample.token, logprob: readLogprob(sequence.model, sample, top) }
    },
    close: async () => sampler.close(),
  }
}
