import { type ChatTurn, INITIAL_WINDOW_BYTES } from '@daisi/protocol'
import { type FakeConnection, type FakeOrc, type FromHost } from '../../../host-agent/src/testing/fake-orc.ts'
import { type RealHost, startRealHost } from '../real-host.ts'
import type { Timed } from './pairs.ts'

const MODEL_ID = 'bench'

/** All chats are of one Session, as those of an app with one key are: others share no cached prompts. */
const SESSION_ID = `ses_${'1'.repeat(32)}`

export interface LabHostOptions {
  readonly modelPath: string
  /** Where it keeps its identity and the hashes of its models. */
  readonly stateFolder: string
  readonly slots: number
  readonly contextLength: number
}

export interface Question {
  readonly messages: readonly ChatTurn[]
  readonly maxTokens: number
}

/** One answer as it came over the wire. Times are of `performance.now()`. */
export interface LabAnswer {
  readonly sentAt: number
  /** When the first frame came, and how many tokens it had. Of an answer without tokens: its end. */
  readonly firstAt: number
  readonly firstTokens: number
  readonly lastAt: number
  readonly tokens: number
  readonly text: string
  readonly promptTokens: number
  readonly cachedTokens: number
}

interface Pending {
  answer: LabAnswer
  readonly done: PromiseWithResolvers<LabAnswer>
}

/** The built `daisi-host run` on a small Orc in this process, which does nothing but send jobs and read frames. */
export class LabHost {
  /** From its start to its word that it is online with a loaded model. */
  readonly onlineMs: number
  readonly #host: RealHost
  readonly #orc: FakeOrc
  readonly #connection: FakeConnection
  readonly #pending = new Map<string, Pending>()

  private constructor(host: RealHost, orc: FakeOrc, connection: FakeConnection, onlineMs: number) {
    this.#host = host
    this.#orc = orc
    this.#connection = connection
    this.onlineMs = onlineMs
    void this.#read()
  }

  static async start(orc: FakeOrc, options: LabHostOptions): Promise<LabHost> {
    const welcomed = orc.welcomed()
    // It fails only together with the start below, which says why.
    welcomed.catch(() => undefined)
    const startedAt = performance.now()
    const host = await startRealHost({
      orcUrl: orc.url,
      modelPath: options.modelPath,
      modelId: MODEL_ID,
      stateDir: options.stateFolder,
      enrolmentToken: orc.enrolmentToken,
      slots: options.slots,
      contextLength: options.contextLength,
    })
    const onlineMs = performance.now() - startedAt
    return new LabHost(host, orc, await welcomed, onlineMs)
  }

  get pid(): number {
    return this.#host.pid
  }

  /** Asks all questions at once and waits for the last answer. Greedy. Throws if one is refused or fails. */
  async ask(questions: readonly Question[]): Promise<LabAnswer[]> {
    const runs = await Promise.all(
      questions.map(({ messages, maxTokens }) => {
        const payload = { messages, sampling: { temperature: 0, maxTokens, stop: [] } }
        const model = { id: MODEL_ID }
        const run = { model, payload, windowBytes: INITIAL_WINDOW_BYTES }
        return this.#orc.run(this.#connection.hostId, run, { sid: SESSION_ID })
      }),
    )
    const answers = runs.map(({ jobId }) => {
      const done = Promise.withResolvers<LabAnswer>()
      const times = { sentAt: performance.now(), firstAt: 0, lastAt: 0 }
      const counts = { firstTokens: 0, tokens: 0, promptTokens: 0, cachedTokens: 0 }
      this.#pending.set(jobId, { answer: { ...times, ...counts, text: '' }, done })
      return done.promise
    })
    for (const run of runs) this.#connection.send(run)
    return Promise.all(answers)
  }

  async stop(): Promise<void> {
    await this.#host.stop()
    await this.#connection.closed
  }

  async #read(): Promise<void> {
    try {
      for (;;) this.#take(await this.#connection.message())
    } catch (error) {
      for (const { done } of this.#pending.values()) done.reject(error)
    }
  }

  #take(message: FromHost): void {
    if (message.type === 'ping') return this.#connection.sendRaw('pong')
    const job = 'jobId' in message ? this.#pending.get(message.jobId) : undefined
    if (job === undefined) return
    const { answer } = job
    if (message.type === 'accepted') {
      const { promptTokens, cachedTokens } = message
      job.answer = { ...answer, promptTokens, cachedTokens }
    } else if (message.type === 'frame') {
      const lastAt = performance.now()
      const first = answer.tokens > 0 ? {} : { firstAt: lastAt, firstTokens: message.tokenCount }
      const tokens = answer.tokens + message.tokenCount
      job.answer = { ...answer, ...first, lastAt, tokens, text: answer.text + message.text }
    } else if (message.type === 'job-end') {
      this.#settle(message.jobId, message.outcome === 'completed' ? undefined : message.outcome)
    } else if (message.type === 'refused') this.#settle(message.jobId, message.code)
  }

  #settle(jobId: string, problem: string | undefined): void {
    const job = this.#pending.get(jobId)
    this.#pending.delete(jobId)
    if (job === undefined) return
    const { answer, done } = job
    const firstAt = answer.tokens > 0 ? answer.firstAt : performance.now()
    if (problem === undefined) done.resolve({ ...answer, firstAt })
    else done.reject(new Error(`the Host did not answer: ${problem}`))
  }
}

/** Tokens of answers that ran side by side, after the first of them all. */
export function timed(answers: readonly LabAnswer[]): Timed {
  const [first] = answers.toSorted((a, b) => a.firstAt - b.firstAt)
  const tokens = answers.reduce((sum, answer) => sum + answer.tokens, 0) - (first?.firstTokens ?? 0)
  const lastAt = Math.max(...answers.map((answer) => answer.lastAt))
  return { tokens, ms: lastAt - (first?.firstAt ?? Number.NaN) }
}

/** A question of one message. */
export function questionOf(content: string, maxTokens: number): Question {
  return { messages: [{ role: 'user', content }], maxTokens }
}
