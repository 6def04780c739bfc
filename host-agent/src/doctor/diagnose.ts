import { ControlClient } from '../control/control-client.ts'
import { createLogger } from '../log.ts'
import { type AgentConfig, agentConfig } from '../state/agent-config.ts'
import { ModelRegistry } from '../store/model-registry.ts'
import { defaultModelsFolder } from '../store/models-folder.ts'
import { checkAgent } from './agent-check.ts'
import { type Check, withinTime } from './check.ts'
import { checkGpu, checkStart, ENGINE_STARTS } from './engine-check.ts'
import { checkDisk, checkNode, checkOpenFiles } from './machine-checks.ts'
import { checkModel } from './model-checks.ts'
import { checkOrc, type OrcToCheck } from './orc-checks.ts'
import { checkServer } from './server-checks.ts'
import { checkState, type FoundState } from './state-checks.ts'

/** What may be left out, and how long each part may take. */
export interface DoctorOptions {
  /** True: llama.cpp is not started, so nothing is said of engine, GPU and memory. */
  readonly quick: boolean
  readonly quickMs: number
  /** For what goes over a network. */
  readonly networkMs: number
  /** For drivers to start. */
  readonly engineMs: number
  /** For what reads whole models. */
  readonly modelMs: number
}
const OPTIONS: DoctorOptions = {
  quick: false,
  quickMs: 10_000,
  networkMs: 15_000,
  engineMs: 60_000,
  modelMs: 10 * 60_000,
}

/** An Orc of the command line. */
export type NamedOrc = Pick<OrcToCheck, 'url' | 'pin'>

/**
 * Looks at everything that this Host needs, all at once. What is broken does not keep the rest from being looked at. Changes
 * nothing but the remembered hashes of models.
 */
export async function diagnose(
  stateFolder: string,
  named: readonly NamedOrc[],
  options: Partial<DoctorOptions> = {},
): Promise<readonly Check[]> {
  const { quick, quickMs, networkMs, engineMs, modelMs } = { ...OPTIONS, ...options }
  const client = new ControlClient(stateFolder)
  const [state, agentRuns] = await Promise.all([
    checkState(stateFolder),
    client.isRunning().catch(() => false),
  ])
  // A broken file is told; what does not depend on it is looked at with defaults.
  const config = state.config ?? agentConfig.parse({})
  const logger = createLogger('silent', 'json')
  const modelsFolder = process.env['DAISI_MODELS'] ?? config.modelsFolder ?? defaultModelsFolder()
  // What an agent has loaded is no longer free, and would be missed.
  const inspect = !quick && !agentRuns
  const models = withinTime('models', modelMs, (signal) =>
    checkModels(stateFolder, inspect ? config : undefined, signal),
  )
  const parts = [
    withinTime('machine', quickMs, async () => [
      checkNode(),
      checkOpenFiles(),
      ...(await checkDisk(stateFolder, modelsFolder)),
    ]),
    Promise.resolve(state.checks),
    withinTime('agent', quickMs, () => checkAgent(stateFolder)),
    ...orcsToCheck(state, named).map((orc) =>
      withinTime(orc.url, networkMs, (signal) => checkOrc(orc, signal)),
    ),
    ...(quick ? [] : [withinTime('gpu', engineMs, checkGpu), startAfter(models)]),
    models,
    ...config.servers.map((server) =>
      withinTime(server, networkMs, (signal) => checkServer(server, logger, signal)),
    ),
  ]
  return (await Promise.all(parts)).flat()

  /** A model that was looked into shows that llama.cpp starts. */
  async function startAfter(models: Promise<readonly Check[]>): Promise<readonly Check[]> {
    const isShown = inspect && (await models).some((check) => check.state === 'ok')
    return isShown
      ? [ENGINE_STARTS]
      : withinTime('engine', engineMs, (signal) => checkStart(stateFolder, signal))
  }
}

/** Those of the command line; else those of the settings and those where this Host is enrolled. */
function orcsToCheck({ config, records = [] }: FoundState, named: readonly NamedOrc[]): OrcToCheck[] {
  const enrolled = records.filter((record) => record.enrolled).map(({ url }) => ({ url, pin: undefined }))
  const known: readonly NamedOrc[] = [
    ...(config?.orcs ?? []).map(({ url, pin }) => ({ url, pin })),
    ...enrolled,
  ]
  const chosen = named.length > 0 ? named : known
  const first = chosen.filter(({ url }, index) => chosen.findIndex((other) => other.url === url) === index)
  return first.map((orc) => ({ ...orc, record: records.find(({ url }) => url === orc.url) }))
}

/** One after the other: reading several whole files at once is no faster. */
async function checkModels(
  stateFolder: string,
  asLoadedBy: AgentConfig | undefined,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const checks: Check[] = []
  for (const model of await new ModelRegistry(stateFolder).list())
    checks.push(...(await checkModel(model, stateFolder, asLoadedBy, signal)))
  return checks
}
