import { type Flow, circularFlows } from './circular-flow.ts'
import { type HostCounts, inflatedCounts } from './inflated-counts.ts'
import type { Sighting } from './sighting.ts'
import { type HostVolume, volumeSpikes } from './volume-spike.ts'

/** What was settled lately, added up as each detector needs it. */
export interface Activity {
  readonly counts: readonly HostCounts[]
  readonly volumes: readonly HostVolume[]
  readonly flows: readonly Flow[]
}

/** Everything in the settled work that an operator should look at. The same activity again gives the same ids. */
export function scanActivity(activity: Activity, now: number): Sighting[] {
  return [
    ...inflatedCounts(activity.counts, now),
    ...volumeSpikes(activity.volumes, now),
    ...circularFlows(activity.flows, now),
  ]
}
