import type { CatalogueEntry } from '@daisi/protocol'
import { expectedSpeed } from './expected-speed.ts'
import type { Hardware } from './hardware.ts'

/** Bytes that models may take together. */
export interface ModelBudget {
  readonly mainBytes: number
  readonly gpuBytes: number
}

/** A model, and how it would do on this machine. */
export interface ModelProposal<Entry> {
  readonly entry: Entry
  /** Where all of it has room; `no`: nowhere. */
  readonly fits: 'gpu' | 'cpu' | 'no'
  /** Of one stream, at least about; undefined if that cannot be told. */
  readonly expectedTokensPerSecond: number | undefined
  /** While it is loaded, about: weights, and what the engine keeps of conversations. */
  readonly memoryBytes: number
  /** For people. */
  readonly reason: string
}

/** Slower than this nobody likes to wait for an answer. */
const PLEASANT_TOKENS_PER_SECOND = 8

/** Beside the weights: buffers of the engine, and context for a few conversations, which larger models need more of. */
const FIXED_BYTES = 256 * 1024 ** 2
const CONTEXT_SHARE = 0.15

/** Disk that stays free. */
const DISK_RESERVE_BYTES = 1024 ** 3

/**
 * Sorts models by how well they do here: those first that fit and are pleasantly fast, of these the largest, which give the best
 * answers; then the slow ones, the fastest first; last those that do not fit, the smallest first.
 */
export function proposeModels<Entry extends Pick<CatalogueEntry, 'id' | 'sizeBytes'>>(
  entries: readonly Entry[],
  hardware: Pick<Hardware, 'gpu' | 'readBytesPerSecond' | 'diskFreeBytes'>,
  budget: ModelBudget,
): readonly ModelProposal<Entry>[] {
  return entries.map((entry) => propose(entry, hardware, budget)).toSorted(byWorth)
}

function propose<Entry extends Pick<CatalogueEntry, 'sizeBytes'>>(
  entry: Entry,
  hardware: Pick<Hardware, 'gpu' | 'readBytesPerSecond' | 'diskFreeBytes'>,
  budget: ModelBudget,
): ModelProposal<Entry> {
  const { sizeBytes } = entry
  const memoryBytes = Math.ceil(sizeBytes * (1 + CONTEXT_SHARE)) + FIXED_BYTES
  const nowhere = (reason: string): ModelProposal<Entry> => ({
    entry,
    fits: 'no',
    expectedTokensPerSecond: undefined,
    memoryBytes,
    reason,
  })
  const { diskFreeBytes = Infinity } = hardware
  if (sizeBytes + DISK_RESERVE_BYTES > diskFreeBytes)
    return nowhere(`needs ${gigabytes(sizeBytes)} of disk; ${gigabytes(diskFreeBytes)} are free`)
  const place = hardware.gpu !== undefined && memoryBytes <= budget.gpuBytes ? 'gpu' : 'cpu'
  if (place === 'cpu' && memoryBytes > budget.mainBytes) {
    const largest = Math.max(budget.mainBytes, budget.gpuBytes)
    return nowhere(`needs ${gigabytes(memoryBytes)} of memory; models may take ${gigabytes(largest)} here`)
  }
  const expectedTokensPerSecond = expectedSpeed(sizeBytes, hardware, place)
  const where = place === 'gpu' ? 'on the GPU' : 'on the CPU'
  const reason = `${where}, ${gigabytes(memoryBytes)}${speedText(expectedTokensPerSecond)}`
  return { entry, fits: place, expectedTokensPerSecond, memoryBytes, reason }
}

function speedText(tokensPerSecond: number | undefined): string {
  if (tokensPerSecond === undefined) return ''
  const about = tokensPerSecond < 10 ? tokensPerSecond.toFixed(1) : Math.round(tokensPerSecond)
  return `, about ${about} tokens/s${isPleasant(tokensPerSecond) ? '' : ' (slow)'}`
}

function byWorth<Entry extends Pick<CatalogueEntry, 'id' | 'sizeBytes'>>(
  a: ModelProposal<Entry>,
  b: ModelProposal<Entry>,
): number {
  const group = groupOf(a) - groupOf(b)
  if (group !== 0) return group
  const bySize = a.entry.sizeBytes - b.entry.sizeBytes
  if (bySize !== 0) return groupOf(a) === 0 ? -bySize : bySize
  return a.entry.id < b.entry.id ? -1 : 1
}

/** 0: fits and is pleasant; 1: fits and is slow; 2: does not fit. */
function groupOf({ fits, expectedTokensPerSecond }: ModelProposal<unknown>): number {
  if (fits === 'no') return 2
  return isPleasant(expectedTokensPerSecond) ? 0 : 1
}

function isPleasant(tokensPerSecond: number | undefined): boolean {
  return tokensPerSecond === undefined || tokensPerSecond >= PLEASANT_TOKENS_PER_SECOND
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}
