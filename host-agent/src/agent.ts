import { basename } from 'node:path'
import { modelOffer, type ModelOffer } from '@daisi/protocol'
import { systemClock } from './clock.ts'
import { OrcLink } from './connection/orc-link.ts'
import type { Engine } from './engine/engine.ts'
import { LlamaEngine, ModelLoadError } from './engine/llama/llama-engine.ts'
import { ExitCode, FatalError } from './exit-codes.ts'
import { SlotPool } from './jobs/slot-pool.ts'
import { SpeedMeter } from './jobs/speed-meter.ts'
import type { Workbench } from './jobs/workbench.ts'
import type { Logger } from './log.ts'
import { loadIdentity } from './state/identity.ts'
import { findModel, hashModel, type ModelFile } from './state/model-file.ts'
import { OrcRecordFile } from './state/orc-record.ts'

/** What `daisi-host run` was asked to do. */
export interface AgentOptions {
  readonly orcUrl: string
  readonly modelPath: string
  readonly modelId: string | undefined
  readonly stateFolder: string
  readonly name: string | undefined
  readonly enrolmentToken: string | undefined
  readonly slots: number
  readonly queue: number
  readonly threads: number | undefined
  readonly contextLength: number | undefined
  readonly gpu: boolean
}

/** A running agent: one engine and, for now, one Orc. */
export class Agent {
  readonly #engine: Engine
  readonly #link: OrcLink

  private constructor(engine: Engine, link: OrcLink) {
    this.#engine = engine
    this.#link = link
  }

  /** Loads identity and model. Throws a `FatalError` that says what is missing. */
  static async open(options: AgentOptions, logger: Logger): Promise<Agent> {
    const { orcUrl, stateFolder } = options
    const identity = await loadIdentity(stateFolder)
    const record = await OrcRecordFile.open(stateFolder, orcUrl)
    const model = await findModel(options.modelPath)
    const modelId = checkModelId(options.modelId ?? basename(options.modelPath, '.gguf'))
    logger.info({ model: modelId }, 'loading the model')
    const [engine, sha256] = await Promise.all([
      openEngine(options, model, logger),
      hashModel(stateFolder, model),
    ])
    const workbench = createWorkbench(engine, modelId, sha256, options.queue)
    const link = new OrcLink({
      url: orcUrl,
      identity,
      record,
      workbench,
      clock: systemClock,
      random: Math.random,
      logger,
      name: options.name,
      enrolmentToken: options.enrolmentToken,
      onOnline: ({ alias }) => {
        const facts = { hostId: identity.hostId, alias, orc: orcUrl, models: [modelId] }
        logger.info({ event: 'online', ...facts }, 'online')
      },
    })
    logger.info({ orc: orcUrl, hostId: identity.hostId }, 'connecting')
    return new Agent(engine, link)
  }

  /** Works until `stop`, then closes everything. Throws a `FatalError` when the Orc refuses this Host. */
  async run(): Promise<void> {
    try {
      await this.#link.run()
    } finally {
      await this.#engine.close()
    }
  }

  /** Finishes what runs, at most until the deadline, and stops. */
  async drain(deadline: AbortSignal): Promise<void> {
    await this.#link.drain(deadline)
    this.#link.stop()
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
