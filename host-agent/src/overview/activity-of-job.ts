import type { WorkDone } from '../jobs/work-log.ts'

/** A job that ended, as a line for the owner: what it cost, not what it said. */
export function activityOfJob({ model, kind, own, outcome, usage, durationMs }: WorkDone): string {
  const { promptTokens, cachedTokens, generatedTokens } = usage
  const cached = cachedTokens > 0 ? ` (${cachedTokens} cached)` : ''
  const end = outcome === 'completed' ? '' : ` ${outcome}`
  const whose = own ? ' for you' : ''
  return `${kind}${whose} with ${model}${end}: ${promptTokens}${cached} + ${generatedTokens} tokens in ${(durationMs / 1000).toFixed(1)} s`
}
