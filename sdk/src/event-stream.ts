import type { OpenCall } from './call.ts'
import { errorOfEvent } from './error-response.ts'
import { invalidArgument, invalidResponse } from './error.ts'
import { type EndTest, readEvents } from './event-source.ts'

/**
 * The events of an answer, as they come. Read it once. Leaving the loop early cancels the work; what was delivered until then is paid. A stream that is
 * neither read nor cancelled holds its connection open. Throws as a `ChatStream` does.
 */
export class EventStream<Event> implements AsyncIterable<Event> {
  /** The Orc's name for the request. */
  readonly requestId: string | undefined
  readonly #call: OpenCall
  readonly #isEvent: (event: unknown) => event is Event
  readonly #isEnd: EndTest | undefined
  #isTaken = false

  /** @internal */
  constructor(call: OpenCall, isEvent: (event: unknown) => event is Event, isEnd?: EndTest) {
    this.#call = call
    this.requestId = call.requestId
    this.#isEvent = isEvent
    this.#isEnd = isEnd
    // The time that the caller takes before reading is not the Orc's.
    call.scope.stopTimer()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, void> {
    if (this.#isTaken) throw invalidArgument('stream', 'A stream can be read only once.')
    this.#isTaken = true
    for await (const event of readEvents(this.#call, undefined, this.#isEnd)) {
      const error = errorOfEvent(event, this.requestId)
      if (error !== undefined) throw error
      if (!this.#isEvent(event))
        throw invalidResponse('An event is none of this answer.', this.#call.response, this.requestId)
      yield event
    }
  }

  /** Stops the work. Whoever reads the stream is thrown `aborted`. */
  cancel(): void {
    const { response, scope } = this.#call
    scope.abort()
    scope.close()
    if (response.body?.locked === false) response.body.cancel().catch(() => undefined)
  }
}
