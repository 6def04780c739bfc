import { basename } from 'node:path'
import { modelOffer, type ModelOffer } from '@daisi/protocol'
import { systemClock } from './clock.ts'
import { IssuerBook } from './connection/issuer-book.ts'
import { OrcLinks, type OrcTarget, recallOrcs } from './connection/orc-links.ts'
import { DirectService } from './direct/direct-service.ts'
import type { ListenPlan } from './direct/listen-plan.ts'
import type { Engine } from './engine/engine.ts'
import { LlamaEngine, ModelLoadError } from './engine/llama/llama-engine.ts'
import { ExitCode, FatalError } from './exit-codes.ts'
import { SlotPool } from './jobs/slot-pool.ts'
import { SpeedMeter } from './jobs/speed-meter.ts'
import type { Workbench } from './jobs/workbench.ts'
import type { Logger } from './log.ts'
import { loadIdentity } from './state/identity.ts'
import { findModel, hashModel, type ModelFile } from './state/model-file.ts'
import { removeStaleTemporaries } from './state/stale-temporaries.ts'

/** What `daisi-host run` was asked to do. */
export interface AgentOptions {
  readonly orcs: readonly OrcTarget[]
  /** How Consumers reach this Host directly; undefined: not at all. */
  readonly direct: ListenPlan | undefined
  readonly modelPath: string
  readonly modelId: string | undefined
  readonly stateFolder: string
  readonly name: string | undefined
  readonly slots: number
  readonly queue: number
  readonly threads: number | undefined
  readonly contextLength: number | undefined
  readonly gpu: boolean
}

/** A running agent: one engine, serving one Orc or several. */
export class Agent {
  readonly #engine: Engine
  readonly #links: OrcLinks
  readonly #direct: DirectService | undefined

  private constructor(engine: Engine, links: OrcLinks, direct: DirectService | undefined) {
    this.#engine = engine
    this.#links = links
    this.#direct = direct
  }

  /** Loads identity and model. Throws a `FatalError` that says what is missing. */
  static async open(options: AgentOptions, logger: Logger): Promise<Agent> {
    const { name, stateFolder } = options
    const identity = await loadIdentity(stateFolder)
    await removeStaleTemporaries(stateFolder)
    const orcs = await recallOrcs(options.orcs, stateFolder)
    const model = await findModel(options.modelPath)
    const modelId = checkModelId(options.modelId ?? basename(options.modelPath, '.gguf'))
    logger.info({ model: modelId }, 'loading the model')
    const [engine, sha256] = await Promise.all([
      openEngine(options, model, logger),
      hashModel(stateFolder, model),
    ])
    const workbench = createWorkbench(engine, modelId, sha256, options.queue)
    const direct = await openDirect(options, identity.hostId, engine, logger)
    const links = new OrcLinks(orcs, {
      identity,
      issuers: new IssuerBook(stateFolder),
      workbench,
      direct,
      clock: systemClock,
      random: Math.random,
      logger,
      name,
      onOnline: ({ alias }, orc) => {
        const facts = { hostId: identity.hostId, alias, orc, models: [modelId] }
        logger.info({ event: 'online', ...facts }, 'online')
      },
    })
    logger.info({ orcs: orcs.map(({ url }) => url), hostId: identity.hostId }, 'connecting')
    return new Agent(engine, links, direct)
  }

  /** Works until `stop`, then closes everything. Throws a `FatalError` when every Orc refuses this Host. */
  async run(): Promise<void> {
    try {
      await this.#links.run()
    } finally {
      await this.#direct?.close()
      await this.#engine.close()
    }
  }

  /** Finishes what runs, at most until the deadline, and stops. */
  async drain(deadline: AbortSignal): Promise<void> {
    await this.#links.drain(deadline)
    this.#links.stop()
  }
}

/** The agent's part of the machine, as one Orc connection or several share it. */
export function createWorkbench(engine: Engine, modelId: string, sha256: string, queue: number): Workbench {
  const { contextLength, sizeBytes, slots } = engine.info
  const offer: ModelOffer = {
    id: modelId,
    sha256,
    contextLength,
    sizeBytes,
    kinds: ['chat'],
    capabilities: ['token-ids', 'continuation'],
  }
  return { engine, offer, slots: new SlotPool(slots, queue), speed: new SpeedMeter() }
}

function checkModelId(id: string): string {
  if (modelOffer.shape.id.safeParse(id).success) return id
  const message = `${id} cannot be a model id; give another with --model-id (letters, digits and . _ : / - only)`
  throw new FatalError(ExitCode.Usage, 'invalid_model_id', message)
}

/** Listens for Direct Connections, if that was asked for. The engine's process must not outlive a refusal. */
async function openDirect(
  { direct: plan, orcs, stateFolder }: AgentOptions,
  hostId: string,
  engine: Engine,
  logger: Logger,
): Promise<DirectService | undefined> {
  if (plan === undefined) return undefined
  try {
    const orcUrls = orcs.map(({ url }) => url)
    return await DirectService.open({ plan, hostId, stateFolder, orcUrls, logger })
  } catch (error) {
    await engine.close()
    throw error
  }
}

async function openEngine(options: AgentOptions, model: ModelFile, logger: Logger): Promise<Engine> {
  const { slots, threads, contextLength, gpu } = options
  const optional = {
    ...(threads !== undefined && { threads }),
    ...(contextLength !== undefined && { contextLength }),
  }
  try {
    return await LlamaEngine.open({ modelPath: model.path, slots, gpu, ...optional }, logger)
  } catch (error) {
    if (!(error instanceof ModelLoadError)) throw error
    const message = `${options.modelPath} does not load (${error.message}); download it again, lower --slots or --context, or give another model`
    throw new FatalError(ExitCode.Model, 'model_load_failed', message, error)
  }
}
