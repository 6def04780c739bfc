import type { Sighting } from './sighting.ts'
import { DAY_MS, startOfHour, utcDay } from '../time.ts'

/** Fewer Jobs say more about their Consumers than about the Host. */
export const MIN_JOBS = 20
/** Between two other owners a median still tells which of three stands apart. */
const MIN_OTHERS = 2
/** Languages differ by less than this where Hosts have a mixed audience; a Host that counts double is beyond it. */
const MAX_FACTOR = 1.5
/**
 * Prompts this long on average have at least some 250 tokens of text, so that the tokens of a template (usually fewer than
 * 64 for a conversation) cannot reach the factor.
 */
const MIN_PROMPT_BYTES_PER_JOB = 1_000
/** Below this, answers are single words and letters, of which each is a token by right. */
const MIN_TEXT_BYTES_PER_JOB = 50

/** What a Host counted for a model, and the bytes that it counted them for, since `countsSince`. */
export interface HostCounts {
  readonly hostId: string
  /** Its owner. */
  readonly accountId: string
  readonly network: string
  readonly model: string
  readonly jobs: number
  readonly promptTokens: number
  readonly promptBytes: number
  readonly generatedTokens: number
  readonly textBytes: number
}

type Measure = 'prompt' | 'generated'

interface Density {
  readonly hostId: string
  readonly accountId: string
  readonly jobs: number
  readonly tokens: number
  readonly bytes: number
}

/** Start of the first hour that counts, milliseconds since the epoch: 24 full hours and the running one. */
export function countsSince(now: number): number {
  return startOfHour(now) - DAY_MS
}

/**
 * Hosts that count far more tokens for the same bytes than the Hosts of other owners in their Network with the same model,
 * whose tokenizer is the same. One sighting for each model, measure and day (UTC). Seen only where enough others serve the model,
 * and not where most of them inflate alike.
 */
export function inflatedCounts(counts: readonly HostCounts[], now: number): Sighting[] {
  const groups = Map.groupBy(counts, ({ network, model }) => JSON.stringify([network, model]))
  return [...groups.values()].flatMap((group) => {
    const first = group[0]
    if (first === undefined) return []
    return (['prompt', 'generated'] as const).flatMap((measure) => outliers(group, first, measure, now))
  })
}

function outliers(
  group: readonly HostCounts[],
  { network, model }: Pick<HostCounts, 'network' | 'model'>,
  measure: Measure,
  now: number,
): Sighting[] {
  const day = utcDay(now)
  const densities = group.flatMap((counts) => densityOf(counts, measure) ?? [])
  // One voice for each owner: who has many Hosts does not say what is usual.
  const owners = [...Map.groupBy(densities, ({ accountId }) => accountId)].map(([accountId, own]) => {
    return { accountId, ratio: median(own.map(tokensPerByte)) }
  })
  if (owners.length <= MIN_OTHERS) return []
  return densities.flatMap((density) => {
    const { hostId, accountId, jobs, tokens, bytes } = density
    const ratio = tokensPerByte(density)
    const usual = median(owners.filter((owner) => owner.accountId !== accountId).map((owner) => owner.ratio))
    if (ratio <= MAX_FACTOR * usual) return []
    const id = `inflated_counts:${hostId}:${network}:${model}:${measure}:${day}`
    const others = owners.length - 1
    const detail = {
      network,
      model,
      measure,
      jobs,
      tokens,
      bytes,
      tokensPerByte: ratio,
      median: usual,
      others,
    }
    return [{ id, kind: 'inflated_counts' as const, subject: hostId, seenAt: now, detail }]
  })
}

function densityOf(counts: HostCounts, measure: Measure): Density | undefined {
  const { hostId, accountId, jobs } = counts
  const [tokens, bytes, minBytesPerJob] =
    measure === 'prompt'
      ? [counts.promptTokens, counts.promptBytes, MIN_PROMPT_BYTES_PER_JOB]
      : [counts.generatedTokens, counts.textBytes, MIN_TEXT_BYTES_PER_JOB]
  if (jobs < MIN_JOBS || tokens === 0 || bytes < jobs * minBytesPerJob) return undefined
  return { hostId, accountId, jobs, tokens, bytes }
}

function tokensPerByte({ tokens, bytes }: Density): number {
  return tokens / bytes
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}
