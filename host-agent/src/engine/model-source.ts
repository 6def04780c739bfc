import type { ModelOffer, Sampling } from '@daisi/protocol'
import type { Engine } from './engine.ts'

/** A model that can be made ready to work: a file on this machine, or one behind a server that its owner already runs. */
export interface ModelSource {
  /** What Orcs are told. Known without loading it. */
  readonly offer: ModelOffer
  /** Where it is, for its owner: a path, or the address of its server. */
  readonly from: string
  /** Main and GPU memory that it takes while it is loaded, in bytes; 0 for one behind another server. */
  readonly memoryBytes: number
  /** Used where a job leaves a parameter out. */
  readonly defaultSampling: Partial<Omit<Sampling, 'maxTokens' | 'stop'>>
  /** Makes it ready. `onProgress` hears 0 to 100. Throws `ModelLoadError`; aborting the signal gives it up. */
  open(onProgress: (percent: number) => void, signal: AbortSignal): Promise<Engine>
}
