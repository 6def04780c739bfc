import { statfs } from 'node:fs/promises'
import { availableParallelism, cpus, freemem, totalmem } from 'node:os'
import { dirname, resolve } from 'node:path'
import type { Systeminformation } from 'systeminformation'
import type { Hardware, UsableGpu } from './hardware.ts'
import { measureReading } from './memory-bandwidth.ts'

/** Tools of the system that are slower than this are not waited for. */
const TOOL_TIMEOUT_MS = 5_000

export interface HardwareQuestion {
  /** Where models are kept; need not exist yet. */
  readonly modelsFolder: string
  /** What the engine sees; without a type it sees none. */
  readonly gpu: Omit<UsableGpu, 'type'> & { readonly type: string | undefined }
}

/** Looks at this machine; takes about half a second. What cannot be found out is left open, and nothing is an error. */
export async function probeHardware({ modelsFolder, gpu }: HardwareQuestion): Promise<Hardware> {
  const [system, readBytesPerSecond, diskFreeBytes] = await Promise.all([
    askSystem(),
    measureReading(),
    freeSpace(resolve(modelsFolder)),
  ])
  const [processor] = cpus()
  return {
    cpu: {
      model: (processor?.model ?? 'unknown').trim(),
      threads: availableParallelism(),
      physicalCores: system.physicalCores ?? availableParallelism(),
    },
    memory: memoryOf(process.constrainedMemory(), system.availableBytes),
    readBytesPerSecond,
    gpu: usable(gpu),
    graphics: system.graphics,
    diskFreeBytes,
  }
}

/** A limit of the control group holds where it is below what the machine has; 0 or a huge number is none. */
export function memoryOf(
  limitBytes: number,
  availableBytes: number | undefined,
  machineBytes = totalmem(),
): Hardware['memory'] {
  const totalBytes = limitBytes > 0 && limitBytes < machineBytes ? limitBytes : machineBytes
  return { totalBytes, freeBytes: Math.min(totalBytes, availableBytes ?? freemem()) }
}

function usable({ type, ...gpu }: HardwareQuestion['gpu']): UsableGpu | undefined {
  return type === undefined || gpu.totalBytes === 0 ? undefined : { type, ...gpu }
}

interface SystemFacts {
  readonly physicalCores: number | undefined
  readonly availableBytes: number | undefined
  readonly graphics: Hardware['graphics']
}

async function askSystem(): Promise<SystemFacts> {
  // Loaded here: it is large, and only who is about to choose a model needs it.
  const { cpu, graphics, mem } = await import('systeminformation')
  const [processor, memory, adapters] = await Promise.all([inTime(cpu()), inTime(mem()), inTime(graphics())])
  const cores = processor?.physicalCores ?? 0
  return {
    physicalCores: cores > 0 ? cores : undefined,
    // Linux counts within the control group; elsewhere what is cached is free, too, and only this tells how much.
    availableBytes: process.platform === 'linux' ? process.availableMemory() : memory?.available,
    graphics: (adapters?.controllers ?? []).map(describeAdapter),
  }
}

/** A name for people. The memory is given in MiB, and left out where it is shared with the CPU. */
export function describeAdapter(
  adapter: Pick<
    Systeminformation.GraphicsControllerData,
    'vendor' | 'model' | 'vram' | 'vramDynamic' | 'memoryTotal'
  >,
): Hardware['graphics'][number] {
  const { vendor, model, vram, vramDynamic, memoryTotal } = adapter
  const name = model.toLowerCase().startsWith(vendor.toLowerCase()) ? model : `${vendor} ${model}`
  const mebibytes = memoryTotal ?? (vramDynamic ? undefined : (vram ?? undefined))
  return { name: name.trim(), memoryBytes: mebibytes === undefined ? undefined : mebibytes * 1024 ** 2 }
}

/** Undefined for what fails or takes too long. */
async function inTime<Value>(answer: Promise<Value>): Promise<Value | undefined> {
  const { promise: late, resolve: giveUp } = Promise.withResolvers<undefined>()
  const timer = setTimeout(giveUp, TOOL_TIMEOUT_MS)
  try {
    return await Promise.race([answer.catch(() => undefined), late])
  } finally {
    clearTimeout(timer)
  }
}

/** Of the folder, or of where it would be made. */
async function freeSpace(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  } catch {
    const parent = dirname(folder)
    return parent === folder ? undefined : freeSpace(parent)
  }
}
