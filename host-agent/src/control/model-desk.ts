import { ControlClient } from './control-client.ts'
import type { AddModelRequest, ListedModel, ModelProgress } from './control-wire.ts'
import { listedModelOf } from './listed-model.ts'
import { orderOfRequest } from './model-request.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { readAgentConfig } from '../state/agent-config.ts'
import { addModel, type ModelStore } from '../store/add-model.ts'
import { DownloadError } from '../store/download-error.ts'
import { type Hub, hubFromEnvironment } from '../store/hub.ts'
import { ModelRegistry } from '../store/model-registry.ts'
import { defaultModelsFolder } from '../store/models-folder.ts'

/** Who adds and removes models: the running agent, or, without one, the command itself. Each call throws a `FatalError`. */
export interface ModelDesk {
  models(): Promise<readonly ListedModel[]>
  addModel(
    request: AddModelRequest,
    onProgress: (progress: ModelProgress) => void,
    signal: AbortSignal,
  ): Promise<ListedModel>
  removeModel(id: string, options: { readonly deleteFile: boolean }): Promise<void>
}

/** `modelsFolder` is what the command line says, for downloads without an agent. */
export async function openModelDesk(
  stateFolder: string,
  modelsFolder: string | undefined,
): Promise<ModelDesk> {
  const client = new ControlClient(stateFolder)
  if (await client.isRunning()) return client
  const registry = new ModelRegistry(stateFolder)
  return new StoreDesk(registry, async () => {
    const folder = modelsFolder ?? (await readAgentConfig(stateFolder)).modelsFolder ?? defaultModelsFolder()
    return { registry, stateFolder, modelsFolder: folder, hub: readHub() }
  })
}

/** Adds and removes models where no agent runs. */
export class StoreDesk implements ModelDesk {
  readonly #registry: ModelRegistry
  readonly #store: () => Promise<ModelStore>

  /** `store` is asked for where files come or go: whoever only lists models needs neither folder nor hub. */
  constructor(registry: ModelRegistry, store: () => Promise<ModelStore>) {
    this.#registry = registry
    this.#store = store
  }

  async models(): Promise<readonly ListedModel[]> {
    return (await this.#registry.list()).map(listedModelOf)
  }

  async addModel(
    request: AddModelRequest,
    onProgress: (progress: ModelProgress) => void,
    signal: AbortSignal,
  ): Promise<ListedModel> {
    const asked = orderOfRequest(request)
    if (!asked.ok) throw declined(asked)
    const added = await addModel(asked.order, await this.#store(), signal, onProgress)
    if (!added.ok) throw declined(added)
    return listedModelOf(added.model)
  }

  async removeModel(name: string, { deleteFile }: { readonly deleteFile: boolean }): Promise<void> {
    const id = (await this.#registry.find(name))?.id ?? name
    const folder = deleteFile ? (await this.#store()).modelsFolder : undefined
    const removed = await this.#registry.remove(id, folder)
    if (!removed.ok) throw declined(removed)
  }
}

function readHub(): Hub {
  try {
    return hubFromEnvironment(process.env)
  } catch (error) {
    throw error instanceof DownloadError ? declined(error) : error
  }
}

/** How a command ends that could not add or remove a model. */
export function declined({ code, message }: { readonly code: string; readonly message: string }): FatalError {
  return new FatalError(code === 'interrupted' ? ExitCode.Interrupted : ExitCode.Model, code, message)
}
