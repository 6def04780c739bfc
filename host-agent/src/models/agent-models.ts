import { constrainedMemory } from 'node:process'
import { totalmem } from 'node:os'
import { monotonicClock } from '../clock.ts'
import { probeGpu } from '../engine/llama/inspect.ts'
import { ServerWatch } from '../engine/upstream/server-watch.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'
import type { Logger } from '../log.ts'
import type { OwnerWishes } from '../policy/owner-wishes.ts'
import { hubFromEnvironment } from '../store/hub.ts'
import { ModelRegistry } from '../store/model-registry.ts'
import { type ModelChoice, serveChosen } from './chosen-models.ts'
import { llamaSourceFactory } from './llama-source-factory.ts'
import { memoryBudget } from './memory-budget.ts'
import { ModelKeeper, type ModelKeeperOptions } from './model-keeper.ts'
import { ModelShelf } from './model-shelf.ts'
import { parseServers } from './parse-servers.ts'

/** Servers that do not answer at the start are looked for again later. */
const FIRST_LOOK_MS = 5_000

export interface AgentModelsOptions {
  readonly owner: OwnerWishes
  /** Orcs whose catalogues are looked into for a name. */
  readonly orcUrls: readonly string[]
  readonly readCatalogue: ModelKeeperOptions['readCatalogue']
  /** Exactly these; empty: those that were added. */
  readonly models: readonly ModelChoice[]
  readonly servers: readonly string[]
  readonly modelsFolder: string
  readonly stateFolder: string
  readonly slots: number
  readonly contextLength: number | undefined
  readonly gpu: boolean
  readonly residenceMs: number
}

/** Everything that this Host can work with: files on this machine, and models behind its owner's servers. */
export class AgentModels {
  readonly shelf: ModelShelf
  readonly keeper: ModelKeeper
  readonly registry: ModelRegistry
  /** Resolves when what the command line names is ready to work; rejects with a `FatalError` if it cannot be. */
  readonly warm: Promise<void>
  readonly #watch: ServerWatch

  private constructor(
    parts: Pick<AgentModels, 'shelf' | 'keeper' | 'registry' | 'warm'>,
    watch: ServerWatch,
  ) {
    this.shelf = parts.shelf
    this.keeper = parts.keeper
    this.registry = parts.registry
    this.warm = parts.warm
    this.#watch = watch
  }

  /** Looks at all models and begins to load them. Throws a `FatalError` for one that the command line names and that is no model. */
  static async open(options: AgentModelsOptions, logger: Logger): Promise<AgentModels> {
    const { owner, orcUrls, readCatalogue, stateFolder, modelsFolder, models } = options
    const servers = parseServers(options.servers)
    const gpuBytes = options.gpu ? (await probeGpu()).totalBytes : 0
    const machine = { mainBytes: Math.min(totalmem(), constrainedMemory() || Infinity), gpuBytes }
    const budget = (): ReturnType<typeof memoryBudget> => memoryBudget(owner.settings, machine)
    const shelf = new ModelShelf({
      budgetBytes: () => budget().mainBytes + budget().gpuBytes,
      residenceMs: options.residenceMs,
      clock: monotonicClock,
      logger,
    })
    const registry = new ModelRegistry(stateFolder)
    const store = { registry, stateFolder, modelsFolder, hub: hubFromEnvironment(process.env) }
    const keeper = new ModelKeeper({
      shelf,
      store,
      createSource: llamaSourceFactory({ ...options, budget, logger }),
      readCatalogue,
      orcUrls,
      logger,
    })
    const watch = new ServerWatch(servers, {
      logger,
      onAdded: (source) => shelf.add(source),
      onRemoved: ({ offer }) => void shelf.remove(offer.id),
    })
    const chosen =
      models.length === 0 ? keeper.open() : serveChosen(models, { keeper, shelf, stateFolder }, logger)
    await Promise.all([chosen, watch.look(AbortSignal.timeout(FIRST_LOOK_MS))])
    void watch.run()
    const warm = models.length === 0 ? Promise.resolve() : loadChosen(shelf)
    warm.catch(() => {})
    if (models.length === 0) void shelf.warmUp()
    return new AgentModels({ shelf, keeper, registry, warm }, watch)
  }

  async close(): Promise<void> {
    this.#watch.stop()
    await this.keeper.close()
    await this.shelf.close()
  }
}

/** What the command line names must work, and at once. */
async function loadChosen(shelf: ModelShelf): Promise<void> {
  for (const model of shelf.all) {
    if (model.source.memoryBytes === 0) continue
    try {
      await shelf.preload(model)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : 'unknown error'
      const message = `${model.source.from} does not load (${reason}); download it again, lower --slots or --context, or give another model`
      throw new FatalError(ExitCode.Model, 'model_load_failed', message, cause)
    }
  }
  await shelf.warmUp()
}
