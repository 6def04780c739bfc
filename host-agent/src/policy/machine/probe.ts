import type { Problem } from '../../problem.ts'

/** What a probe found out. */
export interface Reading<Value> {
  /** Undefined: it cannot be known on this machine. */
  readonly value: Value | undefined
  /** Why it cannot be known, or is known badly, and what to do. */
  readonly problem?: Problem
}

/** Percent of the busiest GPU that others use. `unattributed`: cannot be told from our own use just now. */
export type GpuReading = Reading<number> | 'unattributed'

/** Looks at the machine. A probe may take seconds; aborting the signal ends it. */
export interface MachineProbes {
  /** Milliseconds since somebody last touched keyboard, mouse or a terminal. */
  input(signal: AbortSignal): Promise<Reading<number>>
  /** True on mains power. */
  power(signal: AbortSignal): Promise<Reading<boolean>>
  /** `working`: whether a job of this agent runs now. */
  gpu(working: boolean, signal: AbortSignal): Promise<GpuReading>
  close(): void
}
