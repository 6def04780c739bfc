import type { CatalogueEntry } from '@daisi/protocol'
import { formatBytes } from '../terminal/human-units.ts'
import { probeGpu } from '../engine/llama/inspect.ts'
import type { GpuFacts } from '../engine/llama/wire.ts'
import type { Hardware } from '../hardware/hardware.ts'
import { probeHardware } from '../hardware/probe-hardware.ts'
import { type ModelProposal, proposeModels } from '../hardware/propose-models.ts'
import { memoryBudget } from '../models/memory-budget.ts'
import type { AgentConfig } from '../state/agent-config.ts'
import { printable } from '../printable.ts'
import { type FoundServer, findServers } from './find-servers.ts'

const NO_GPU: GpuFacts = { type: undefined, devices: [], totalBytes: 0, freeBytes: 0 }

/** What this machine has, and what would do well on it. */
export interface ModelSurvey {
  readonly hardware: Hardware
  /** Best first; those that do not fit are among them. */
  readonly proposals: readonly ModelProposal<CatalogueEntry>[]
  /** Not those that are served already. */
  readonly servers: readonly FoundServer[]
}

export interface SurveyOrder {
  readonly config: AgentConfig
  readonly catalogue: readonly CatalogueEntry[]
  readonly hardware: Promise<Hardware>
  /** Servers to look for. */
  readonly usualServers: readonly string[]
}

/** What this machine has. What cannot be found out is left open, and nothing is an error. */
export async function lookAtMachine(
  { gpu }: Pick<AgentConfig, 'gpu'>,
  modelsFolder: string,
  signal: AbortSignal,
): Promise<Hardware> {
  // One after the other: starting a driver would disturb the measuring of memory.
  return probeHardware({ modelsFolder, gpu: gpu ? await probeGpu(signal) : NO_GPU })
}

/** Looks for servers on this machine, and sorts the catalogue by what would do well on it. Nothing is an error. */
export async function surveyModels(order: SurveyOrder, signal: AbortSignal): Promise<ModelSurvey> {
  const { config, catalogue, usualServers } = order
  const [hardware, servers] = await Promise.all([
    order.hardware,
    findServers(usualServers, config.servers, signal),
  ])
  const budget = memoryBudget(config.settings, {
    mainBytes: hardware.memory.totalBytes,
    gpuBytes: hardware.gpu?.totalBytes ?? 0,
  })
  return { hardware, proposals: proposeModels(catalogue, hardware, budget), servers }
}

/** The model that does best here: one to talk with, if there is any. */
export function bestOf({
  proposals,
}: Pick<ModelSurvey, 'proposals'>): ModelProposal<CatalogueEntry> | undefined {
  const fitting = proposals.filter(({ fits }) => fits !== 'no')
  return fitting.find(({ entry }) => entry.kinds.includes('chat')) ?? fitting[0]
}

/** What a machine has, on one line. */
export function describeHardware({ cpu, memory, gpu, diskFreeBytes }: Hardware): string {
  const parts = [
    `${cpu.model}, ${cpu.threads} threads`,
    `${formatBytes(memory.totalBytes)} of memory`,
    gpu === undefined
      ? 'no GPU that can be used'
      : `${[...new Set(gpu.devices)].join(', ') || gpu.type}, ${formatBytes(gpu.totalBytes)}`,
  ]
  if (diskFreeBytes !== undefined) parts.push(`${formatBytes(diskFreeBytes)} of disk free`)
  return printable(parts.join(' · '))
}

/** What a model is, how large, and how it would do. */
export function describeProposal({
  entry,
  fits,
  expectedTokensPerSecond: speed,
}: ModelProposal<CatalogueEntry>): string {
  const parts = [entry.name, formatBytes(entry.sizeBytes)]
  if (speed !== undefined) parts.push(`about ${speed < 10 ? speed.toFixed(1) : Math.round(speed)} tokens/s`)
  parts.push(fits === 'gpu' ? 'on the GPU' : 'on the CPU')
  return printable(parts.join(' · '))
}
