import type { IdleReason } from '@daisi/protocol'
import { monotonicClock } from '../clock.ts'
import type { LinkStatus } from '../connection/link-status.ts'
import type { AgentStatus } from '../control/agent-status.ts'
import type { ControlEvent } from '../control/control-wire.ts'
import type { Workbench } from '../jobs/workbench.ts'
import type { ShelvedModel } from '../models/shelved-model.ts'
import type { OwnerPolicy } from '../policy/owner-policy.ts'
import { AGENT_VERSION } from '../version.ts'
import type { ActivityFeed } from './activity-feed.ts'
import { explainIdleness } from './explain-idleness.ts'

/** Whoever watches hears of changes at most this often. */
const WATCH_INTERVAL_MS = 250

export interface OverviewOptions {
  readonly hostId: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly links: () => readonly LinkStatus[]
  readonly workbench: Workbench
  readonly policy: OwnerPolicy
  readonly feed: ActivityFeed
}

/** The agent as its owner sees it. */
export class AgentOverview {
  readonly #options: OverviewOptions

  constructor(options: OverviewOptions) {
    this.#options = options
  }

  status(): AgentStatus {
    const { hostId, startedAt, links, workbench, policy } = this.#options
    const { slots, models, log } = workbench
    const orcs = links()
    const reason = reasonOf(orcs, policy.reason)
    const { jobs, failedJobs, tokensForOthers, ownTokens } = policy.today
    const status = {
      version: AGENT_VERSION,
      pid: process.pid,
      hostId,
      startedAt,
      ...(reason !== undefined && { reason }),
      orcs: orcs.map(describeLink),
      models: models.all.map((model) => describeModel(model, log.running(model.offer.id))),
      slots: { total: slots.total, free: slots.free, waiting: slots.waiting, queue: slots.queue },
      today: { jobs, failedJobs, tokensForOthers, ownTokens },
      total: log.totals,
      tokensPerSecond: log.tokensPerSecond(monotonicClock.now()),
    }
    return { ...status, problems: [...explainIdleness(status), ...policy.problems] }
  }

  /** Calls `listener` with the whole status when it has changed, not too often, and with what happens; returns the function that stops it. */
  watch(listener: (event: ControlEvent) => void): () => void {
    const { feed } = this.#options
    let last = ''
    const look = (): void => {
      const status = this.status()
      const now = JSON.stringify(status)
      if (now === last) return
      last = now
      listener({ type: 'status', status })
    }
    look()
    for (const activity of feed.recent) listener({ type: 'activity', activity })
    const timer = setInterval(look, WATCH_INTERVAL_MS)
    const stop = feed.listen((activity) => listener({ type: 'activity', activity }))
    return () => {
      clearInterval(timer)
      stop()
    }
  }
}

/** One Orc that gets work through is enough; the reason of the first is as good as any. */
function reasonOf(orcs: readonly LinkStatus[], own: IdleReason | undefined): IdleReason | undefined {
  if (own !== undefined) return own
  return orcs.some(({ reason }) => reason === undefined) ? undefined : orcs[0]?.reason
}

function describeLink({
  url,
  state,
  alias,
  networks,
  problem,
  update,
}: LinkStatus): AgentStatus['orcs'][number] {
  return {
    url,
    state,
    networks: [...networks],
    ...(alias !== undefined && { alias }),
    ...(problem !== undefined && { problem }),
    ...(update !== undefined && { update }),
  }
}

function describeModel(model: ShelvedModel, running: number): AgentStatus['models'][number] {
  const { offer, state, failure, source, speed } = model
  const { kinds, contextLength, sizeBytes } = offer
  return {
    ...state,
    kinds: [...kinds],
    contextLength,
    from: source.from,
    running,
    ...(sizeBytes !== undefined && { sizeBytes }),
    ...(failure !== undefined && { problem: failure.message }),
    ...(speed.tokensPerSecond !== undefined && { tokensPerSecond: speed.tokensPerSecond }),
  }
}
