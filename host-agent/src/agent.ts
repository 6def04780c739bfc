import { systemClock } from './clock.ts'
import { AgentControl } from './agent-control.ts'
import { IssuerBook } from './connection/issuer-book.ts'
import { OrcLinks, type OrcTarget, recallOrcs } from './connection/orc-links.ts'
import { readCatalogue } from './connection/read-catalogue.ts'
import { ControlServer } from './control/control-server.ts'
import type { ControlTarget } from './control/control-target.ts'
import { StateLock } from './control/state-lock.ts'
import { DirectService } from './direct/direct-service.ts'
import type { ListenPlan } from './direct/listen-plan.ts'
import { SlotPool } from './jobs/slot-pool.ts'
import { WorkLog } from './jobs/work-log.ts'
import type { Workbench } from './jobs/workbench.ts'
import type { Logger } from './log.ts'
import { MetricsServer } from './metrics/metrics-server.ts'
import { AgentModels } from './models/agent-models.ts'
import type { ModelChoice } from './models/chosen-models.ts'
import type { ActivityFeed } from './overview/activity-feed.ts'
import { activityOfJob } from './overview/activity-of-job.ts'
import { AgentOverview } from './overview/agent-overview.ts'
import { OwnerPolicy } from './policy/owner-policy.ts'
import type { OwnerPatch } from './policy/owner-wishes.ts'
import { loadIdentity } from './state/identity.ts'
import { removeStaleTemporaries } from './state/stale-temporaries.ts'

/** What `daisi-host run` was asked to do. */
export interface AgentOptions {
  readonly orcs: readonly OrcTarget[]
  /** How Consumers reach this Host directly; undefined: not at all. */
  readonly direct: ListenPlan | undefined
  /** Exactly these models; empty: those that were added. */
  readonly models: readonly ModelChoice[]
  /** Servers of the owner whose models are served too. */
  readonly servers: readonly string[]
  readonly modelsFolder: string
  readonly stateFolder: string
  readonly name: string | undefined
  readonly slots: number
  readonly queue: number
  readonly contextLength: number | undefined
  readonly gpu: boolean
  readonly residenceMs: number
  readonly metricsPort: number | undefined
  /** Settings that the command line names, in force for this run only. */
  readonly overrides: OwnerPatch
}

/** A running agent: its models, serving one Orc or several. */
export class Agent {
  readonly control: ControlTarget
  readonly #links: OrcLinks
  readonly #models: AgentModels
  readonly #resources: AsyncDisposableStack

  private constructor(
    control: ControlTarget,
    links: OrcLinks,
    models: AgentModels,
    resources: AsyncDisposableStack,
  ) {
    this.control = control
    this.#links = links
    this.#models = models
    this.#resources = resources
  }

  /**
   * Takes the state folder, looks at the models, and is ready to connect. `stop` is called when the owner wants it to end.
   * Throws a `FatalError` that says what is missing.
   */
  static async open(
    options: AgentOptions,
    logger: Logger,
    feed: ActivityFeed,
    stop: () => void,
  ): Promise<Agent> {
    await using resources = new AsyncDisposableStack()
    const { stateFolder } = options
    const lock = await StateLock.acquire(stateFolder)
    resources.defer(() => lock.release())
    const identity = await loadIdentity(stateFolder)
    await removeStaleTemporaries(stateFolder)
    const orcs = await recallOrcs(options.orcs, stateFolder)
    const slots = new SlotPool(options.slots, options.queue)
    const policy = await OwnerPolicy.open({
      stateFolder,
      overrides: options.overrides,
      clock: systemClock,
      isWorking: () => slots.free < slots.total,
      logger,
    })
    resources.defer(() => policy.close())
    const catalogues = {
      orcUrls: orcs.map(({ url }) => url),
      readCatalogue: (url: string, signal: AbortSignal) =>
        readCatalogue(orcs.find((orc) => orc.url === url) ?? { url, pin: undefined }, signal),
    }
    const models = await AgentModels.open({ ...options, ...catalogues, owner: policy }, logger)
    resources.defer(() => models.close())
    const workbench = createWorkbench(slots, models, policy, feed)
    const direct = await openDirect(options, identity.hostId, logger)
    if (direct !== undefined) resources.defer(() => direct.close())
    const links = new OrcLinks(orcs, {
      identity,
      issuers: new IssuerBook(stateFolder),
      workbench,
      owner: policy,
      keeper: models.keeper,
      direct,
      clock: systemClock,
      random: Math.random,
      logger,
      name: options.name,
      onOnline: ({ alias }, orc) => void tellOnline(models, logger, { hostId: identity.hostId, alias, orc }),
    })
    const facts = { hostId: identity.hostId, startedAt: Date.now(), workbench, policy, feed }
    const overview = new AgentOverview({ ...facts, links: () => links.status })
    const { keeper, shelf, registry } = models
    const control = new AgentControl({ overview, links, policy, keeper, shelf, registry, stop })
    const server = await ControlServer.open(stateFolder, control, logger)
    resources.defer(() => server.close())
    if (options.metricsPort !== undefined) {
      const metrics = await MetricsServer.open(options.metricsPort, () => overview.status())
      resources.defer(() => metrics.close())
    }
    logger.info({ orcs: orcs.map(({ url }) => url), hostId: identity.hostId }, 'connecting')
    return new Agent(control, links, models, resources.move())
  }

  /**
   * Works until `stop`, then closes everything. Throws a `FatalError` when every Orc refuses this Host, or a model that the
   * command line names cannot be served.
   */
  async run(): Promise<void> {
    await using _ = this.#resources
    const served = this.#models.warm.catch((error: unknown) => {
      this.#links.stop()
      throw error
    })
    await Promise.all([this.#links.run(), served])
  }

  /** Finishes what runs, at most until the deadline, and stops. */
  async drain(deadline: AbortSignal): Promise<void> {
    await this.#links.drain(deadline)
    this.#links.stop()
  }
}

/** The agent's part of the machine, as all Orc connections share it. */
function createWorkbench(
  slots: SlotPool,
  { shelf }: AgentModels,
  policy: OwnerPolicy,
  feed: ActivityFeed,
): Workbench {
  const log = new WorkLog()
  const limit = (): void => slots.limit(policy.settings.maxConcurrency)
  limit()
  policy.onChange(limit)
  log.listen({
    ended: (done) => {
      const { promptTokens, cachedTokens, generatedTokens } = done.usage
      policy.processed(promptTokens - cachedTokens + generatedTokens, done.own, done.outcome === 'failed')
      feed.note('job', activityOfJob(done))
    },
  })
  return { models: shelf, slots, log }
}

/** Listens for Direct Connections, if that was asked for. */
async function openDirect(
  { direct: plan, orcs, stateFolder }: AgentOptions,
  hostId: string,
  logger: Logger,
): Promise<DirectService | undefined> {
  if (plan === undefined) return undefined
  return DirectService.open({ plan, hostId, stateFolder, orcUrls: orcs.map(({ url }) => url), logger })
}

/** Says that this Host is ready for an Orc: what the command line names is loaded. Why it is not, the end of the agent says. */
async function tellOnline(
  { warm, shelf }: AgentModels,
  logger: Logger,
  facts: { readonly hostId: string; readonly alias: string; readonly orc: string },
): Promise<void> {
  const isReady = await warm.then(
    () => true,
    () => false,
  )
  if (isReady) logger.info({ event: 'online', ...facts, models: shelf.offers.map(({ id }) => id) }, 'online')
}
