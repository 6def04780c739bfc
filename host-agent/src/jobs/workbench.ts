import type { ModelShelf } from '../models/model-shelf.ts'
import type { SlotPool } from './slot-pool.ts'
import type { WorkLog } from './work-log.ts'

/** What does the work. One for the whole agent, shared by every Orc connection. */
export interface Workbench {
  readonly models: ModelShelf
  readonly slots: SlotPool
  readonly log: WorkLog
}
