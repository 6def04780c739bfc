import { ControlClient } from '../control/control-client.ts'
import type { AddModelRequest, ListedModel, ModelProgress } from '../control/control-wire.ts'
import { listedModelOf } from '../control/listed-model.ts'
import { ExitCode, FatalError } from '../exit-codes.ts'
import { readAgentConfig } from '../state/agent-config.ts'
import { addModel, type ModelStore } from '../store/add-model.ts'
import { DownloadError } from '../store/download-error.ts'
import { hubFromEnvironment } from '../store/hub.ts'
import { parseModelReference } from '../store/model-reference.ts'
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
  return (await client.isRunning()) ? client : new StoreDesk(stateFolder, modelsFolder)
}

class StoreDesk implements ModelDesk {
  readonly #stateFolder: string
  readonly #modelsFolder: string | undefined
  readonly #registry: ModelRegistry

  constructor(stateFolder: string, modelsFolder: string | undefined) {
    this.#stateFolder = stateFolder
    this.#modelsFolder = modelsFolder
    this.#registry = new ModelRegistry(stateFolder)
  }

  async models(): Promise<readonly ListedModel[]> {
    return (await this.#registry.list()).map(listedModelOf)
  }

  async addModel(
    { reference: text, id, aliases = [], sha256 }: AddModelRequest,
    onProgress: (progress: ModelProgress) => void,
    signal: AbortSignal,
  ): Promise<ListedModel> {
    const parsed = parseModelReference(text)
    if (!parsed.ok) throw declined(parsed)
    const order = { reference: parsed.reference, id, aliases, expectedSha256: sha256 }
    const added = await addModel(order, await this.#store(), signal, onProgress)
    if (!added.ok) throw declined(added)
    return listedModelOf(added.model)
  }

  async removeModel(id: string, { deleteFile }: { readonly deleteFile: boolean }): Promise<void> {
    const removed = await this.#registry.remove(id, deleteFile ? await this.#folder() : undefined)
    if (!removed.ok) throw declined(removed)
  }

  async #store(): Promise<ModelStore> {
    const [registry, stateFolder, modelsFolder] = [this.#registry, this.#stateFolder, await this.#folder()]
    try {
      return { registry, stateFolder, modelsFolder, hub: hubFromEnvironment(process.env) }
    } catch (error) {
      throw error instanceof DownloadError ? declined(error) : error
    }
  }

  async #folder(): Promise<string> {
    if (this.#modelsFolder !== undefined) return this.#modelsFolder
    return (await readAgentConfig(this.#stateFolder)).modelsFolder ?? defaultModelsFolder()
  }
}

function declined({ code, message }: { readonly code: string; readonly message: string }): FatalError {
  return new FatalError(code === 'interrupted' ? ExitCode.Interrupted : ExitCode.Model, code, message)
}
