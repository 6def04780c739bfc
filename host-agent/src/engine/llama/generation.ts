import type { FinishReason } from '@daisi/protocol'
import type { LlamaContextSequence, LlamaModel, Token } from 'node-llama-cpp'
import { Detokenizer } from '../output/detokenizer.ts'
import type { FrameAssembler } from '../output/frame-assembler.ts'
import type { Piece } from '../output/piece.ts'
import { StopMatcher } from '../output/stop-matcher.ts'
import type { AnswerForm } from './answer-form.ts'
import type { TokenChoice } from './sampling.ts'
import type { StepGate } from './step-gate.ts'
import { openTokenStream } from './token-stream.ts'

/** Prompt tokens evaluated in one go. Between two of them a job can be cancelled and the other slots get their turn. */
const PREFILL_CHUNK = 256

export interface Generation {
  readonly sequence: LlamaContextSequence
  /** Tokens that the sequence does not hold yet; at least one. */
  readonly unevaluated: readonly Token[]
  readonly continuation: readonly Token[]
  readonly choice: TokenChoice
  readonly form: AnswerForm
  /** Text of tokens, marks included. */
  readonly detokenize: (ids: readonly number[]) => string
  /** Most likely tokens to name beside each token; undefined: no log probabilities. */
  readonly logprobs: number | undefined
  readonly stops: readonly string[]
  /** Tokens of the whole answer, continuation included. */
  readonly tokenLimit: number
  readonly stopTokens: ReadonlySet<Token>
  readonly output: FrameAssembler
  readonly gate: StepGate
  readonly signal: AbortSignal
}

/** How a generation went. Times are of `performance.now()`. */
export interface Finish {
  readonly reason: FinishReason
  readonly generated: number
  readonly firstTokenAt: number
  readonly lastTokenAt: number
  readonly pausedMs: number
}

/** Evaluates the prompt and pushes the answer into `output`, until it ends or the signal is aborted. */
export async function generateAnswer(generation: Generation): Promise<Finish> {
  const { sequence, continuation, choice, form, tokenLimit, stopTokens, output, gate, signal } = generation
  const { model } = sequence
  const detokenizer = new Detokenizer(generation.detokenize, continuation.at(-1))
  const matcher = new StopMatcher(generation.stops)
  const push = (piece: Piece | undefined): boolean =>
    piece !== undefined && form.read(piece).some((read) => deliver(output, matcher, read))
  const finish = {
    reason: 'length' as FinishReason,
    generated: 0,
    firstTokenAt: 0,
    lastTokenAt: 0,
    pausedMs: 0,
  }
  if (continuation.length >= tokenLimit) return finish

  const lastChunk = await prefill(sequence, generation.unevaluated, gate, signal)
  const tokens = openTokenStream(sequence, lastChunk, choice, continuation.length, generation.logprobs)
  try {
    while (!signal.aborted) {
      if (gate.closed !== undefined) await gate.closed
      const sampled = await tokens.next()
      if (sampled === undefined || isEnd(model, sampled.token, stopTokens)) {
        finish.reason = 'stop'
        push(detokenizer.flush())
        break
      }
      finish.lastTokenAt = performance.now()
      if (finish.generated === 0) finish.firstTokenAt = finish.lastTokenAt
      finish.generated++
      choice.accept(sampled.token)
      const piece = detokenizer.push(sampled.token, sampled.logprob)
      if (push(piece)) return { ...finish, reason: 'stop' }
      if (form.reader?.isDone === true) {
        finish.reason = 'stop'
        break
      }
      if (continuation.length + finish.generated >= tokenLimit) break
      if (output.blocked) {
        await output.writable(signal)
        finish.pausedMs += performance.now() - finish.lastTokenAt
      }
    }
  } finally {
    choice.close()
    await tokens.close()
  }
  for (const read of form.reader?.flush() ?? []) {
    if (deliver(output, matcher, read)) return { ...finish, reason: 'stop' }
  }
  for (const piece of matcher.flush()) output.push(piece)
  const isCall = finish.reason === 'stop' && (form.reader?.calls ?? 0) > 0
  return isCall ? { ...finish, reason: 'tool-calls' } : finish
}

/** Evaluates all but the last chunk, which it returns. */
async function prefill(
  sequence: LlamaContextSequence,
  tokens: readonly Token[],
  gate: StepGate,
  signal: AbortSignal,
): Promise<Token[]> {
  let start = 0
  while (tokens.length - start > PREFILL_CHUNK && !signal.aborted) {
    if (gate.closed !== undefined) await gate.closed
    await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(start, start + PREFILL_CHUNK))
    start += PREFILL_CHUNK
  }
  return tokens.slice(start)
}

/** Pushes a piece as far as no stop string may begin in it; true if one is complete. Stop strings are about text alone. */
function deliver(output: FrameAssembler, matcher: StopMatcher, piece: Piece): boolean {
  if (piece.parts !== undefined) {
    for (const held of matcher.flush()) output.push(held)
    output.push(piece)
    return false
  }
  const { pieces, stopped } = matcher.push(piece)
  for (const free of pieces) output.push(free)
  return stopped
}

function isEnd(model: LlamaModel, token: Token, stopTokens: ReadonlySet<Token>): boolean {
  return model.isEogToken(token) || stopTokens.has(token)
}
