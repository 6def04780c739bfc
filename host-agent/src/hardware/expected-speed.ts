import { gpuBandwidth } from './gpu-bandwidth.ts'
import type { Hardware } from './hardware.ts'

/**
 * Of what a core reads when it does nothing else, this much is left while it computes, too: a q8_0 model of 507 million
 * parameters (540 MB) makes 43 to 46 tokens a second, 24 GB/s, on a core that reads 30 to 32 GB/s. Threads are not counted: where
 * one core does not use up the memory's bandwidth, several are faster than this says.
 */
const CPU_SHARE = 0.75

/** The same for GPUs, from what is commonly measured of them: short answers leave more of it unused. */
const GPU_SHARE = 0.6

/**
 * Tokens a second of one stream, at least about: every weight is read once for each token, so it is the memory's bandwidth by the
 * size of the model. Models that use only a part of their weights for a token are faster. Undefined if the bandwidth is not known.
 */
export function expectedSpeed(
  sizeBytes: number,
  { gpu, readBytesPerSecond }: Pick<Hardware, 'gpu' | 'readBytesPerSecond'>,
  place: 'gpu' | 'cpu',
): number | undefined {
  const cpu = readBytesPerSecond === undefined ? undefined : (readBytesPerSecond * CPU_SHARE) / sizeBytes
  if (place === 'cpu' || gpu === undefined) return cpu
  const known = gpu.devices.map(gpuBandwidth).filter((bandwidth) => bandwidth !== undefined)
  // A GPU of unknown make is at least as fast as the CPU, or nobody would use it. The slowest of several sets the pace.
  return known.length === 0 ? cpu : (Math.min(...known) * GPU_SHARE) / sizeBytes
}
