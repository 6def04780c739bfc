/** How to load a model. */
export interface LoadOptions {
  readonly modelPath: string
  readonly slots: number
  /** Most tokens of context per slot; absent: what the model was trained for. Memory may allow fewer. */
  readonly contextLength?: number
  /** Absent: 1 for small models, else all cores. */
  readonly threads?: number
  /** False keeps the work on the CPU. */
  readonly gpu: boolean
  /** Main memory that model and contexts may take, in bytes; absent: what is free. */
  readonly memoryBytes?: number
  /** The same of the GPU. */
  readonly vramBytes?: number
}
