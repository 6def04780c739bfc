import { modelId } from '@daisi/protocol'
import type { OrcLinks } from './connection/orc-links.ts'
import type { AgentStatus } from './control/agent-status.ts'
import type { ControlTarget } from './control/control-target.ts'
import type {
  AddModelRequest,
  ControlEvent,
  ListedModel,
  ModelProgress,
  SettingsPatch,
} from './control/control-wire.ts'
import { orderOfRequest } from './control/model-request.ts'
import { FatalError } from './exit-codes.ts'
import type { ModelKeeper } from './models/model-keeper.ts'
import type { ModelShelf } from './models/model-shelf.ts'
import { DONE, type Failure, type Outcome } from './outcome.ts'
import type { AgentOverview } from './overview/agent-overview.ts'
import type { OwnerPolicy } from './policy/owner-policy.ts'
import type { OwnerSettings } from './state/owner-settings.ts'
import type { ModelRegistry } from './store/model-registry.ts'

export interface AgentControlOptions {
  readonly overview: AgentOverview
  readonly links: OrcLinks
  readonly policy: OwnerPolicy
  readonly keeper: ModelKeeper
  readonly shelf: ModelShelf
  readonly registry: ModelRegistry
  /** Finishes what runs and ends the agent. */
  readonly stop: () => void
}

/** What the owner's commands do to the running agent. */
export class AgentControl implements ControlTarget {
  readonly #options: AgentControlOptions

  constructor(options: AgentControlOptions) {
    this.#options = options
  }

  status(): AgentStatus {
    return this.#options.overview.status()
  }

  watch(listener: (event: ControlEvent) => void): () => void {
    return this.#options.overview.watch(listener)
  }

  async pause(): Promise<Outcome<undefined>> {
    const changed = await this.#options.policy.change({ paused: true })
    return changed.ok ? DONE : changed
  }

  async resume(): Promise<Outcome<undefined>> {
    const { policy, links } = this.#options
    const changed = await policy.change({ paused: false })
    if (!changed.ok) return changed
    await links.resume()
    return DONE
  }

  async drain(): Promise<void> {
    this.#options.links.holdBack()
  }

  async stop(): Promise<void> {
    this.#options.stop()
  }

  settings(): OwnerSettings {
    return this.#options.policy.settings
  }

  applySettings(patch: SettingsPatch): Promise<Outcome<OwnerSettings>> {
    return this.#options.policy.change(patch)
  }

  async models(): Promise<readonly ListedModel[]> {
    const { shelf, registry } = this.#options
    const registered = await registry.list()
    const listed = shelf.all.map(({ offer, source, state, failure }): ListedModel => {
      const licence = registered.find(({ id }) => id === offer.id)?.licence
      const { id, aliases = [], sha256, sizeBytes, contextLength, kinds } = offer
      return {
        id,
        aliases: [...aliases],
        from: source.from,
        contextLength,
        kinds: [...kinds],
        state: state.state,
        ...(sha256 !== undefined && { sha256 }),
        ...(sizeBytes !== undefined && { sizeBytes }),
        ...(licence !== undefined && { licence }),
        ...(state.percent !== undefined && { percent: state.percent }),
        ...(failure !== undefined && { problem: failure.message }),
      }
    })
    return listed
  }

  async addModel(
    request: AddModelRequest,
    onProgress: (progress: ModelProgress) => void,
    signal: AbortSignal,
  ): Promise<Outcome<ListedModel>> {
    const asked = orderOfRequest(request)
    if (!asked.ok) return asked
    // A bare name that is no file may be one that an Orc recommends.
    const isName = asked.order.reference.source === 'file' && modelId.safeParse(request.reference).success
    const recommended = isName ? await this.#options.keeper.findInCatalogues(request.reference) : undefined
    const { reference } = recommended ?? asked.order
    const order = { ...recommended, ...asked.order, reference }
    const added = await this.#options.keeper.add(order, signal, onProgress).catch(failureOf)
    if (!added.ok) return added
    const listed = (await this.models()).find((model) => model.id === added.model.id)
    return listed === undefined
      ? { ok: false, code: 'model_unusable', message: `${added.model.id} cannot be served here` }
      : { ok: true, value: listed }
  }

  removeModel(id: string, options: { readonly deleteFile: boolean }): Promise<Outcome<undefined>> {
    return this.#options.keeper.remove(id, options)
  }
}

/** A broken file, which would end a command of its own, does not end the agent. */
function failureOf(error: unknown): Failure {
  if (!(error instanceof FatalError)) throw error
  return { ok: false, code: error.code, message: error.message }
}
