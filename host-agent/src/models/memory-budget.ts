import type { OwnerSettings } from '../state/owner-settings.ts'

const GIB = 1024 ** 3

/** What this machine has, in bytes. */
export interface MachineMemory {
  /** Main memory that this process may use. */
  readonly mainBytes: number
  /** Memory of all GPUs that are used. */
  readonly gpuBytes: number
}

/**
 * Bytes that loaded models may take together: what the owner says, and otherwise what there is. Of main memory a tenth, at least
 * 1 GiB and at most half, stays for everything else; of a GPU's, a tenth.
 */
export function memoryBudget(
  { memoryBytes, vramBytes }: Pick<OwnerSettings, 'memoryBytes' | 'vramBytes'>,
  { mainBytes, gpuBytes }: MachineMemory,
): { readonly mainBytes: number; readonly gpuBytes: number } {
  const reserve = Math.min(mainBytes / 2, Math.max(GIB, mainBytes / 10))
  return {
    mainBytes: Math.floor(Math.min(memoryBytes ?? Number.POSITIVE_INFINITY, mainBytes - reserve)),
    gpuBytes: Math.floor(Math.min(vramBytes ?? Number.POSITIVE_INFINITY, gpuBytes * 0.9)),
  }
}
