import type { Completion, CompletionRequest } from '@daisi/protocol/consumer'
import type { Call } from './call.ts'
import { Daisi } from './daisi.ts'
import { EventStream } from './event-stream.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** What to go on with and how. */
export type CompletionParameters = Omit<CompletionRequest, 'stream' | 'stream_options'>

/**
 * Texts that go on, or whose middle is filled in, without any chat template.
 *
 * @example
 * ```ts
 * const completions = new Completions(daisi)
 * const { choices } = await completions.create({
 *   model: 'daisi-nano',
 *   prompt: 'def add(a, b):\n    return ',
 *   suffix: '\n',
 * })
 * console.log(choices[0]?.text)
 * ```
 */
export class Completions {
  readonly #transport: Transport

  constructor(daisi: Daisi) {
    this.#transport = Daisi.transportOf(daisi)
  }

  /**
   * Whole answers.
   *
   * @throws {DaisiError} for instance `unsupported_parameter` if no Host of the model can fill in a middle.
   */
  async create(request: CompletionParameters, options?: RequestOptions): Promise<Completion> {
    return await this.#transport.json(call({ ...request, stream: false }), 'text_completion', options)
  }

  /** The answers while they are generated: events with what is new of each text, and the usage in the last one. */
  async stream(request: CompletionParameters, options?: RequestOptions): Promise<EventStream<Completion>> {
    const body = { ...request, stream: true, stream_options: { include_usage: true } }
    return new EventStream(await this.#transport.stream(call(body), options), isCompletion)
  }
}

function call(body: CompletionRequest): Call {
  return { method: 'POST', path: '/completions', body, joinsSession: true }
}

function isCompletion(event: unknown): event is Completion {
  return typeof event === 'object' && event !== null && 'choices' in event && Array.isArray(event.choices)
}
