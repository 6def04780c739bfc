/** GPUs as the engine can use them: together, since it divides a model among them. */
export interface UsableGpu {
  /** Such as `cuda`, `vulkan` or `metal`. */
  readonly type: string
  /** Their names. */
  readonly devices: readonly string[]
  readonly totalBytes: number
  readonly freeBytes: number
}

/** What a machine has, as far as models care. */
export interface Hardware {
  readonly cpu: {
    /** As its maker calls it. */
    readonly model: string
    /** Threads that this process may use at once. */
    readonly threads: number
    readonly physicalCores: number
  }
  /** Main memory within the limits of this process, in bytes. */
  readonly memory: { readonly totalBytes: number; readonly freeBytes: number }
  /** Bytes that one core reads from main memory in a second; undefined if not measured. */
  readonly readBytesPerSecond: number | undefined
  /** Undefined: the engine works on the CPU. */
  readonly gpu: UsableGpu | undefined
  /** Every graphics adapter that the system knows, of use or not. */
  readonly graphics: readonly { readonly name: string; readonly memoryBytes: number | undefined }[]
  /** Bytes free where models are kept; undefined if that cannot be told. */
  readonly diskFreeBytes: number | undefined
}
