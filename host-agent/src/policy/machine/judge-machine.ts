import type { IdleReason, IdleRule } from '@daisi/protocol'

/** What is known of the machine; undefined where it was not asked or cannot be known. */
export interface MachineFacts {
  /** Milliseconds since the last input. */
  readonly inputIdleMs?: number | undefined
  readonly onPower?: boolean | undefined
  /** Of the busiest GPU, by others. */
  readonly gpuPercent?: number | undefined
}

export type BusyReason = Extract<IdleReason, 'in_use' | 'on_battery' | 'gpu_busy'>

/** Why the machine is not idle as its owner means it. What cannot be known is in nobody's way. */
export function judgeMachine(rule: IdleRule, facts: MachineFacts): BusyReason | undefined {
  const { inputIdleMs = Infinity, onPower = true, gpuPercent = 0 } = facts
  if (inputIdleMs < rule.noInputMinutes * 60_000) return 'in_use'
  if (rule.onPower && !onPower) return 'on_battery'
  if (rule.gpuBelowPercent < 100 && gpuPercent >= rule.gpuBelowPercent) return 'gpu_busy'
  return undefined
}

/** What counts until the machine was looked at for the first time: its owner comes first. */
export function untilKnown(rule: IdleRule): BusyReason | undefined {
  return judgeMachine(rule, { inputIdleMs: 0, onPower: false, gpuPercent: 100 })
}
