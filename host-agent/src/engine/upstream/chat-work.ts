import type { JobUsage } from '@daisi/protocol'
import type { ChatJob } from '../engine.ts'
import { readChunk } from './chat-chunk.ts'
import { chatRequest } from './chat-request.ts'
import { checkedUsage, type ServerUsage } from './checked-usage.ts'
import type { Dialect } from './dialect.ts'
import { promptSize } from './prompt-size.ts'
import type { OpenAnswer, ServerClient } from './server-client.ts'
import { ServerError } from './server-error.ts'
import type { ServerRun } from './server-run.ts'
import { sseEvents } from './sse-events.ts'
import type { TextModel } from './text-model.ts'
import { textPieces } from './text-pieces.ts'

/** Fewer tokens than this tell no speed. */
const TOKENS_FOR_SPEED = 8

/** What a text server does its work with. */
export interface TextWorkshop {
  readonly client: ServerClient
  readonly model: TextModel
  readonly dialect: Dialect
  /** Milliseconds without a byte after which the server counts as stuck. */
  readonly gapTimeoutMs: number
}

/**
 * One streamed answer. The job starts with an upper estimate of its prompt, for the server counts only at the end; what the
 * server then says is believed as far as `checkedUsage` allows. Throws a `ServerError`.
 */
export async function chatWork(job: ChatJob, workshop: TextWorkshop, run: ServerRun): Promise<void> {
  const { client, model, dialect, gapTimeoutMs } = workshop
  const size = promptSize(job.messages.map(({ content }) => content))
  const request = chatRequest(job, model, dialect, size)
  if (!request.ok) return run.refuse(request.refusal)
  const promptTokens = Math.min(size.estimate, model.contextLength)
  const stop = new AbortController()
  const signal = AbortSignal.any([run.signal, stop.signal])
  const answer = new Answer(job.sampling.maxTokens, run)
  run.startSoon(promptTokens)
  try {
    const options = { signal, body: request.body, gapTimeoutMs }
    const open = await client.open('/v1/chat/completions', options)
    await answer.read(open)
    await run.answer.finish(run.signal)
  } catch (error) {
    run.answer.dispose()
    if (!run.signal.aborted) throw error
  } finally {
    stop.abort()
  }
  const usage = answer.usage(Math.min(promptTokens, size.bound))
  if (run.signal.aborted) run.abort(usage)
  else run.end(answer.finishReason, usage, answer.tokensPerSecond)
}

/** The answer of one server as it comes in. */
class Answer {
  readonly #maxTokens: number
  readonly #run: ServerRun
  #usage: ServerUsage | undefined
  #finishReason: 'stop' | 'length' | undefined
  #tokens = 0
  #firstAtMs = 0
  #lastAtMs = 0
  /** Time that the reader took, which is not the model's. */
  #waitedMs = 0

  constructor(maxTokens: number, run: ServerRun) {
    this.#maxTokens = maxTokens
    this.#run = run
  }

  get finishReason(): 'stop' | 'length' {
    return this.#finishReason ?? 'stop'
  }

  get tokensPerSecond(): number | undefined {
    const seconds = (this.#lastAtMs - this.#firstAtMs - this.#waitedMs) / 1000
    return this.#tokens >= TOKENS_FOR_SPEED && seconds > 0 ? (this.#tokens - 1) / seconds : undefined
  }

  usage(promptTokens: number): JobUsage {
    return checkedUsage(this.#usage, { promptTokens, generatedTokens: this.#run.answer.emittedTokens })
  }

  /** Reads to the end, at the pace of the window. The first event that makes sense starts the job. */
  async read({ contentType, body, limits }: OpenAnswer): Promise<void> {
    if (!contentType.startsWith('text/event-stream')) {
      await body.cancel()
      throw new ServerError('malformed', 'the server did not answer with a stream of events')
    }
    for await (const data of sseEvents(body, limits)) {
      const { text, finishReason, usage, isDone } = readChunk(data)
      this.#run.start()
      this.#usage = usage ?? this.#usage
      this.#finishReason ??= finishReason
      if (isDone || !this.#take(text)) return
      const beforeMs = this.#run.clock.now()
      await this.#run.answer.writable(this.#run.signal)
      this.#waitedMs += this.#run.clock.now() - beforeMs
      this.#run.signal.throwIfAborted()
    }
    if (this.#finishReason === undefined)
      throw new ServerError('malformed', 'the answer of the server ended too early')
  }

  /** False if the answer is as long as the job allows. A server that keeps to the limit never comes that far. */
  #take(text: string): boolean {
    for (const piece of textPieces(text)) {
      if (this.#tokens === this.#maxTokens) {
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
