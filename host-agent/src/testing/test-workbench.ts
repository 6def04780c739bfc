import type { ModelOffer } from '@daisi/protocol'
import { pino } from 'pino'
import { systemClock } from '../clock.ts'
import { SlotPool } from '../jobs/slot-pool.ts'
import { WorkLog } from '../jobs/work-log.ts'
import type { Workbench } from '../jobs/workbench.ts'
import { ModelShelf } from '../models/model-shelf.ts'
import type { ModelSource } from '../engine/model-source.ts'
import type { ScriptedEngine } from './scripted-engine.ts'

/** The file that test models are said to come from. */
export const TEST_SHA256 = 'a'.repeat(64)

/** A model that a scripted engine works with. */
export function scriptedSource(engine: ScriptedEngine, changes: Partial<ModelOffer> = {}): ModelSource {
  const { contextLength, sizeBytes, kinds, capabilities } = engine.info
  const offer: ModelOffer = {
    id: 'test-model',
    sha256: TEST_SHA256,
    contextLength,
    ...(sizeBytes !== undefined && { sizeBytes }),
    kinds: [...kinds],
    capabilities: [...capabilities],
    ...changes,
  }
  return { offer, from: 'a script', memoryBytes: 1_000, defaultSampling: {}, open: async () => engine }
}

/** A workbench with one loaded model, `test-model`, that the engine works with. */
export async function testWorkbench(engine: ScriptedEngine, queue = 2): Promise<Workbench> {
  const models = new ModelShelf({
    budgetBytes: () => Number.MAX_SAFE_INTEGER,
    residenceMs: 0,
    clock: systemClock,
    logger: pino({ level: 'silent' }),
  })
  models.add(scriptedSource(engine))
  for (const model of models.all) await models.preload(model)
  return { models, slots: new SlotPool(engine.info.slots, queue), log: new WorkLog() }
}
