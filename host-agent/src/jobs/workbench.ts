import type { ModelOffer } from '@daisi/protocol'
import type { Engine } from '../engine/engine.ts'
import type { SlotPool } from './slot-pool.ts'
import type { SpeedMeter } from './speed-meter.ts'

/** What does the work. One for the whole agent, shared by every Orc connection. */
export interface Workbench {
  readonly engine: Engine
  readonly offer: ModelOffer
  readonly slots: SlotPool
  readonly speed: SpeedMeter
}
