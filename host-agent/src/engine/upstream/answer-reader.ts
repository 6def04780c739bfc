import type { FinishReason, JobUsage } from '@daisi/protocol'
import type { Piece } from '../output/piece.ts'
import type { AnswerChunk } from './answer-chunk.ts'
import { callPieces, reasoningPieces, textPieces } from './answer-pieces.ts'
import { CallReader } from './call-reader.ts'
import { checkedUsage, type ServerUsage } from './checked-usage.ts'
import { ServerError } from './server-error.ts'
import type { ServerRun } from './server-run.ts'

/** Fewer tokens than this tell no speed. */
const TOKENS_FOR_SPEED = 8

/** What a job allows of its answer. */
export interface AnswerLimits {
  readonly maxTokens: number
  /** Calls of tools: 0 where it named none. */
  readonly mostCalls: number
}

/** The answer of one server as it comes in. */
export class AnswerReader {
  readonly #limits: AnswerLimits
  readonly #run: ServerRun
  readonly #calls = new CallReader()
  #usage: ServerUsage | undefined
  #finishReason: FinishReason | undefined
  #tokens = 0
  #firstAtMs = 0
  #lastAtMs = 0
  /** Time that the reader took, which is not the model's. */
  #waitedMs = 0

  constructor(limits: AnswerLimits, run: ServerRun) {
    this.#limits = limits
    this.#run = run
  }

  /** Some servers say `stop` where the model called. */
  get finishReason(): FinishReason {
    const reason = this.#finishReason ?? 'stop'
    return reason === 'stop' && this.#calls.count > 0 ? 'tool-calls' : reason
  }

  get tokensPerSecond(): number | undefined {
    const seconds = (this.#lastAtMs - this.#firstAtMs - this.#waitedMs) / 1000
    return this.#tokens >= TOKENS_FOR_SPEED && seconds > 0 ? (this.#tokens - 1) / seconds : undefined
  }

  usage(promptTokens: number): JobUsage {
    return checkedUsage(this.#usage, { promptTokens, generatedTokens: this.#run.answer.emittedTokens })
  }

  /** Reads to the end, at the pace of the window. The first chunk starts the job. Throws a `ServerError`. */
  async read(chunks: AsyncIterable<AnswerChunk>): Promise<void> {
    for await (const chunk of chunks) {
      this.#run.start()
      this.#usage = chunk.usage ?? this.#usage
      this.#finishReason ??= chunk.finishReason
      if (chunk.isDone === true || !this.#take(chunk)) return this.#check()
      const beforeMs = this.#run.clock.now()
      await this.#run.answer.writable(this.#run.signal)
      this.#waitedMs += this.#run.clock.now() - beforeMs
      this.#run.signal.throwIfAborted()
    }
    if (this.#finishReason === undefined)
      throw new ServerError('malformed', 'the answer of the server ended too early')
    this.#check()
  }

  /** Throws where calls that were announced are not whole. */
  #check(): void {
    if (this.#finishReason === 'tool-calls' && this.#calls.count === 0)
      throw new ServerError('malformed', 'the server announced a tool call and sent none')
    // One that was cut off for its length may end anywhere.
    if (this.#finishReason !== 'length') this.#calls.check(this.#limits.mostCalls)
  }

  /** False if the answer is as long as the job allows. A server that keeps to the limits never comes that far. */
  #take({ text = '', reasoning = '', calls = [] }: AnswerChunk): boolean {
    if (!this.#push([...reasoningPieces(reasoning), ...textPieces(text)])) return false
    for (const piece of calls) {
      if (this.#limits.mostCalls === 0)
        throw new ServerError('malformed', 'the server called a tool that nobody offered')
      const isFull = this.#calls.count === this.#limits.mostCalls
      const part = this.#calls.read(piece)
      if (isFull && part.name !== undefined) {
        this.#finishReason = 'tool-calls'
        return false
      }
      if (!this.#push(callPieces(part))) return false
    }
    return true
  }

  #push(pieces: readonly Piece[]): boolean {
    for (const piece of pieces) {
      if (this.#tokens === this.#limits.maxTokens) {
        this.#finishReason = 'length'
        return false
      }
      this.#lastAtMs = this.#run.clock.now()
      if (this.#tokens === 0) this.#firstAtMs = this.#lastAtMs
      this.#tokens++
      this.#run.answer.push(piece)
    }
    return true
  }
}
