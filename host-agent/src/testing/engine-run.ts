import type { ChatTurn, Sampling } from '@daisi/protocol'
import type { ChatJob, EngineEvent } from '../engine/engine.ts'

/** A job with the given messages, greedy and short unless told otherwise. */
export function engineJob(messages: string | readonly ChatTurn[], sampling: Partial<Sampling> = {}): ChatJob {
  return {
    kind: 'chat',
    messages: typeof messages === 'string' ? [{ role: 'user', content: messages }] : [...messages],
    sampling: { temperature: 0, topP: 1, maxTokens: 200, stop: [], ...sampling },
    continuation: [],
    windowBytes: 1024 * 1024,
  }
}

/** Everything that a job produced. */
export interface Collected {
  readonly text: string
  readonly tokenIds: readonly number[]
  readonly events: readonly EngineEvent[]
  readonly start: Extract<EngineEvent, { type: 'start' }> | undefined
  readonly last: EngineEvent | undefined
}

/** Sums up the events of one job. */
export function summarize(events: readonly EngineEvent[]): Collected {
  const deltas = events.filter((event) => event.type === 'delta')
  return {
    text: deltas.map((delta) => delta.text).join(''),
    tokenIds: deltas.flatMap((delta) => delta.tokenIds),
    events,
    start: events.find((event) => event.type === 'start'),
    last: events.at(-1),
  }
}
