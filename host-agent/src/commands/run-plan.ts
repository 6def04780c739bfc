import { resolve } from 'node:path'
import { parseCertificatePin } from '../certificate-pin.ts'
import type { OrcTarget } from '../connection/orc-links.ts'
import { type DirectFlags, type ListenPlan, planListening } from '../direct/listen-plan.ts'
import type { AgentOptions } from '../agent.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'
import type { ModelChoice } from '../models/chosen-models.ts'
import type { OwnerPatch } from '../policy/owner-wishes.ts'
import type { AgentConfig } from '../state/agent-config.ts'
import { defaultModelsFolder } from '../store/models-folder.ts'
import { parseListenAddress } from './direct-options.ts'
import { type OrcFlags, orcTargets } from './orc-options.ts'

/** What the command line and the environment say about a run. */
export interface RunFlags extends OrcFlags, DirectFlags {
  readonly model?: readonly string[]
  readonly modelId?: readonly string[]
  readonly server?: readonly string[]
  readonly modelsFolder?: string
  readonly name?: string
  readonly slots?: number
  readonly queue?: number
  readonly threads?: number
  readonly context?: number
  readonly gpu: boolean
  readonly memory?: number
  readonly vram?: number
  readonly residence: number
  readonly metrics?: number
}

/** Joins command line and configuration: the former goes before the latter. Throws a `FatalError` for what does not hold together. */
export function planRun(flags: RunFlags, config: AgentConfig, stateFolder: string): AgentOptions {
  const { name = config.name ?? undefined, threads, memory: memoryBytes, vram: vramBytes } = flags
  return {
    orcs: planOrcs(flags, config),
    direct: planDirect(flags, config),
    models: chosenModels(flags),
    servers: flags.server ?? config.servers,
    modelsFolder: resolve(flags.modelsFolder ?? config.modelsFolder ?? defaultModelsFolder()),
    stateFolder: resolve(stateFolder),
    name,
    slots: flags.slots ?? config.slots,
    queue: flags.queue ?? config.queue,
    contextLength: flags.context ?? config.contextLength ?? undefined,
    gpu: flags.gpu && config.gpu,
    residenceMs: flags.residence * 1000,
    metricsPort: flags.metrics ?? config.metricsPort ?? undefined,
    overrides: {
      ...(threads !== undefined && { threads }),
      ...(memoryBytes !== undefined && { memoryBytes }),
      ...(vramBytes !== undefined && { vramBytes }),
    } satisfies OwnerPatch,
  }
}

/** The Orcs of the command line, else those of the configuration, with enrolment tokens in their order. */
function planOrcs(flags: RunFlags, { orcs }: AgentConfig): OrcTarget[] {
  const named = flags.orc ?? []
  if (named.length > 0) return orcTargets(flags)
  if (orcs.length === 0) {
    const message =
      'no Orc is named; give its address with --orc, or start daisi-host without a command and answer its questions'
    throw new FatalError(ExitCode.Usage, 'no_orc', message)
  }
  const tokens = flags.enroll ?? []
  return orcs.flatMap(({ url, pin, insecure }, index) =>
    orcTargets({
      orc: [url],
      pin: [pin === undefined ? undefined : parseCertificatePin(pin)],
      enroll: [tokens[index] ?? ''],
      ...((insecure || flags.insecure === true) && { insecure: true }),
    }),
  )
}

function planDirect(flags: RunFlags, { direct }: AgentConfig): ListenPlan | undefined {
  if (flags.direct !== undefined || direct === null) return planListening(flags)
  const { listen, url, certificateFile, keyFile, plainLan } = direct
  return planListening({
    direct: parseListenAddress(listen),
    ...(url !== null && { directUrl: url }),
    ...(certificateFile !== null && { directCert: certificateFile }),
    ...(keyFile !== null && { directKey: keyFile }),
    ...(plainLan && { directPlainLan: true }),
  })
}

function chosenModels({ model = [], modelId = [] }: RunFlags): readonly ModelChoice[] {
  if (modelId.length > model.length) {
    const message = `--model-id is given ${modelId.length} times for ${model.length} models; give it at most once for each --model, in the same order`
    throw new FatalError(ExitCode.Usage, 'options_mismatch', message)
  }
  return model.map((reference, index) => {
    const id = modelId[index]
    return { reference, id: id === '' ? undefined : id }
  })
}
