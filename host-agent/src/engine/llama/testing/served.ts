import { type Collected, summarize } from '../../../testing/engine-run.ts'
import { MODEL_PATH } from '../../../testing/model.ts'
import type { EngineEvent, EngineJob } from '../../engine.ts'
import { ServedModel } from '../served-model.ts'

/** Time to load a small model on a machine that is busy with other tests. */
export const LOAD_TIMEOUT_MS = 60_000

/** The bundled model, or another one, in this very process: for one job at a time. */
export function serve(modelPath = MODEL_PATH, slots = 1): Promise<ServedModel> {
  return ServedModel.load({ modelPath, slots, gpu: false })
}

/** Runs a job to its end. */
export async function runOn(
  model: ServedModel,
  job: EngineJob,
  signal = new AbortController().signal,
): Promise<Collected> {
  const events: EngineEvent[] = []
  await model.run(job, signal, (event) => events.push(event)).done
  return summarize(events)
}
