import type { ChatCompletion } from '@daisi/protocol/consumer'
import { CallScope } from '../call-scope.ts'
import type { Chat, ChatParameters } from '../chat.ts'
import { ChatStream } from '../chat-stream.ts'
import { DaisiError, invalidArgument } from '../error.ts'
import type { RequestOptions } from '../options.ts'
import type { DirectAnswer } from './host-line.ts'
import { type HostLines, unavailable } from './host-lines.ts'
import type { DirectOptions } from './options.ts'
import { promptBound, tokenNeed } from './prompt-size.ts'

const DEFAULT_TIMEOUT_MS = 600_000
const DEFAULT_DIRECT_TIMEOUT_MS = 5_000
/** A Host may take this long to its first text, */
const ANSWER_MS = 30_000
/** and this much longer for each byte of the prompt, as slow machines do. */
const ANSWER_MS_PER_BYTE = 5

/** The way that a request took. */
export type DirectMode = 'direct' | 'orchestrated'

/** Chat completions over a Direct Connection: the same as `daisi.chat`. */
export class DirectChat implements Pick<Chat, 'create' | 'stream'> {
  /** The way of the last request. */
  mode: DirectMode = 'orchestrated'
  /** Why it was not the direct one. */
  failure: DaisiError | undefined
  readonly #lines: HostLines
  readonly #chat: Chat
  readonly #options: DirectOptions

  /** @internal */
  constructor(lines: HostLines, chat: Chat, options: DirectOptions) {
    this.#lines = lines
    this.#chat = chat
    this.#options = options
  }

  /** As `daisi.chat.create`. `headers` and `idempotencyKey` are for the Orc: a Host receives neither. */
  async create(request: ChatParameters, options: RequestOptions = {}): Promise<ChatCompletion> {
    const { timeoutMs = this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS, signal } = options
    const scope = new CallScope(timeoutMs, signal)
    const within = { ...options, signal: scope.signal }
    try {
      const answer = await this.#ask(request, { ...within, timeoutMs: Infinity })
      if (DaisiError.isInstance(answer)) return await this.#chat.create(request, this.#throughOrc(within))
      return await new ChatStream(answer.call, answer.chunks).final()
    } catch (error) {
      throw scope.signal.aborted ? scope.signal.reason : error
    } finally {
      scope.close()
    }
  }

  /** As `daisi.chat.stream`. Resolves with the first text, so that whatever fails before it can still go through the Orc. */
  async stream(request: ChatParameters, options: RequestOptions = {}): Promise<ChatStream> {
    const { timeoutMs = this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS } = options
    const deadline = performance.now() + timeoutMs
    const answer = await this.#ask(request, { ...options, timeoutMs })
    if (!DaisiError.isInstance(answer)) return new ChatStream(answer.call, answer.chunks)
    if (performance.now() >= deadline) throw answer
    return await this.#chat.stream(request, this.#throughOrc(options))
  }

  /** Knocks at the Host, so that the first request finds the way open. Throws without a fallback. @internal */
  async connect(): Promise<void> {
    const need = tokenNeed({ messages: [] })
    const line = await this.#lines.current(need, undefined)
    if (DaisiError.isInstance(line)) {
      // Who has too few credits to begin with shall know it at once.
      if (line.status === 402) throw line
      return this.#goesAround(line)
    }
    try {
      await line.reach(this.#reachMs)
      this.mode = 'direct'
    } catch (error) {
      if (!DaisiError.isInstance(error)) throw error
      this.#lines.failed(line, error, need)
      this.#goesAround(error)
    }
  }

  /** The direct answer, or why the request goes through the Orc instead. */
  async #ask(request: ChatParameters, options: RequestOptions): Promise<DirectAnswer | DaisiError> {
    const answer = this.#refusal(request, options) ?? (await this.#askHost(request, options))
    if (DaisiError.isInstance(answer)) this.#goesAround(answer)
    else this.#goes('direct', undefined)
    return answer
  }

  async #askHost(request: ChatParameters, options: RequestOptions): Promise<DirectAnswer | DaisiError> {
    const { timeoutMs = Infinity, signal } = options
    const bound = promptBound(request)
    const answerMs = Math.min(timeoutMs, ANSWER_MS + ANSWER_MS_PER_BYTE * bound)
    const need = tokenNeed(request)
    for (let mayRenew = true; ; mayRenew = false) {
      const line = await this.#lines.current(need, signal)
      if (DaisiError.isInstance(line)) return line
      try {
        await line.reach(Math.min(timeoutMs, this.#reachMs), signal)
        const hasRoom = this.#lines.hasRoom(line, need)
        // Others began meanwhile.
        if (!hasRoom && mayRenew) continue
        if (!hasRoom || line.isFull) return unavailable('Too many answers.')
        const answer = await line.ask(request, { signal, timeoutMs, answerMs })
        this.#lines.limit.answered(line)
        return answer
      } catch (failure) {
        if (!DaisiError.isInstance(failure) || failure.code === 'aborted') throw failure
        if (!this.#lines.failed(line, failure, need, mayRenew)) return failure
      }
    }
  }

  /** What cannot go directly: the token is for one model, in one Session, on one Network. */
  #refusal({ model }: ChatParameters, { session, network }: RequestOptions): DaisiError | undefined {
    const mine = this.#options
    if (model !== mine.model) return invalidArgument('model', `This Direct Connection is for ${mine.model}.`)
    const isElsewhere = session !== undefined || (network !== undefined && network !== mine.network)
    if (!isElsewhere) return undefined
    return invalidArgument('session', 'This Direct Connection has its own Session and Network.')
  }

  #goesAround(failure: DaisiError): void {
    if (this.#options.fallback === false) throw failure
    this.#goes('orchestrated', failure)
  }

  #goes(mode: DirectMode, failure: DaisiError | undefined): void {
    this.mode = mode
    this.failure = failure
  }

  #throughOrc(options: RequestOptions): RequestOptions {
    return { ...options, network: options.network ?? this.#options.network }
  }

  get #reachMs(): number {
    return this.#options.directTimeoutMs ?? DEFAULT_DIRECT_TIMEOUT_MS
  }
}
