import type { AgentStatus } from '../control/agent-status.ts'
import type { ControlTarget } from '../control/control-target.ts'
import type {
  AddModelRequest,
  ControlEvent,
  ListedModel,
  ModelProgress,
  SettingsPatch,
} from '../control/control-wire.ts'
import { DONE, type Failure, type Outcome } from '../outcome.ts'
import { type OwnerSettings, ownerSettings } from '../state/owner-settings.ts'

/** An agent as its control socket sees it, without engine or Orc. The test says what happens in it. */
export class ScriptedTarget implements ControlTarget {
  readonly calls: string[] = []
  readonly listeners = new Set<(event: ControlEvent) => void>()
  state: AgentStatus = idleStatus()
  list: ListedModel[] = []
  wishes: OwnerSettings = ownerSettings.parse({})
  /** Why nothing can be paused, if so. */
  broken: Failure | undefined
  /** What `addModel` does. */
  download: (onProgress: (progress: ModelProgress) => void, signal: AbortSignal) => Promise<void> =
    async () => {}

  status(): AgentStatus {
    return this.state
  }

  watch(listener: (event: ControlEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Tells everybody who watches. */
  emit(event: ControlEvent): void {
    for (const listener of this.listeners) listener(event)
  }

  async pause(): Promise<Outcome<undefined>> {
    this.calls.push('pause')
    if (this.broken !== undefined) return this.broken
    this.#change({ reason: 'paused' })
    return DONE
  }

  async resume(): Promise<Outcome<undefined>> {
    this.calls.push('resume')
    this.#change({ reason: undefined })
    return DONE
  }

  async drain(): Promise<void> {
    this.calls.push('drain')
    this.#change({ reason: 'draining' })
  }

  async stop(): Promise<void> {
    this.calls.push('stop')
  }

  settings(): OwnerSettings {
    return this.wishes
  }

  async applySettings(patch: SettingsPatch): Promise<Outcome<OwnerSettings>> {
    const parsed = ownerSettings.safeParse({ ...this.wishes, ...patch })
    if (!parsed.success) return { ok: false, code: 'invalid_settings', message: 'give other values' }
    this.wishes = parsed.data
    return { ok: true, value: parsed.data }
  }

  async models(): Promise<readonly ListedModel[]> {
    return this.list
  }

  async addModel(
    { reference, id = 'model', aliases = [], sha256, kinds, licence }: AddModelRequest,
    onProgress: (progress: ModelProgress) => void,
    signal: AbortSignal,
  ): Promise<Outcome<ListedModel>> {
    await this.download(onProgress, signal)
    if (reference.includes('missing'))
      return { ok: false, code: 'model_not_found', message: 'give another address' }
    const model = {
      id,
      aliases,
      from: reference,
      ...(sha256 !== undefined && { sha256 }),
      ...(kinds !== undefined && { kinds }),
      ...(licence !== undefined && { licence }),
    }
    this.list.push(model)
    return { ok: true, value: model }
  }

  async removeModel(
    id: string,
    { deleteFile }: { readonly deleteFile: boolean },
  ): Promise<Outcome<undefined>> {
    this.calls.push(`remove ${id}${deleteFile ? ' with its file' : ''}`)
    if (!this.list.some((model) => model.id === id))
      return { ok: false, code: 'unknown_model', message: 'give one of daisi-host models list' }
    this.list = this.list.filter((model) => model.id !== id)
    return DONE
  }

  #change({ reason }: { readonly reason: AgentStatus['reason'] | undefined }): void {
    const { reason: _, ...rest } = this.state
    this.state = { ...rest, ...(reason !== undefined && { reason }) }
    this.emit({ type: 'status', status: this.state })
  }
}

/** The status of an agent that is online with the bundled model and has nothing to do. */
export function idleStatus(changes: Partial<AgentStatus> = {}): AgentStatus {
  return {
    version: '0.1.0',
    pid: process.pid,
    hostId: 'host-id',
    startedAt: 1_000,
    orcs: [{ url: 'https://orc.test', state: 'online', alias: 'quiet-fox', networks: ['home'] }],
    models: [
      {
        id: 'daisi-nano',
        state: 'loaded',
        kinds: ['chat'],
        contextLength: 256,
        sizeBytes: 3_000_000,
        from: '/models/daisi-nano.gguf',
        running: 0,
      },
    ],
    slots: { total: 4, free: 4, waiting: 0, queue: 16 },
    today: { jobs: 0, failedJobs: 0, tokensForOthers: 0, ownTokens: 0 },
    total: { jobs: 0, failedJobs: 0, promptTokens: 0, cachedTokens: 0, generatedTokens: 0 },
    tokensPerSecond: 0,
    problems: [],
    ...changes,
  }
}
