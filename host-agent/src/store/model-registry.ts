import { realpath, rm } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { count, defaultSampling, jobKind, modelId, sha256Hex } from '@daisi/protocol'
import * as z from 'zod'
import { readJsonFile, writeJsonFile } from '../state/json-file.ts'

/** As many as a Host may announce. */
const MAX_MODELS = 64

const registeredModel = z.object({
  id: modelId,
  aliases: z.array(modelId).max(16),
  path: z.string().min(1),
  /** Where it came from; see `parseModelReference`. */
  reference: z.string(),
  sha256: sha256Hex,
  sizeBytes: count,
  /** Only these kinds of work; absent: what the file is made for. */
  kinds: z.array(jobKind).min(1).max(8).optional(),
  /** Tokens that it was made for; absent: what the file says. */
  contextLength: z.int().positive().optional(),
  licence: z.string().max(256).optional(),
  defaultSampling: defaultSampling.optional(),
  /** Milliseconds since 1970. */
  addedAt: count,
})
/** A model file that this Host serves. */
export type RegisteredModel = z.infer<typeof registeredModel>

const registryFile = z.object({ models: z.array(registeredModel).max(MAX_MODELS) })

/** What of a model can be in the way of others. */
interface WantedModel extends Pick<RegisteredModel, 'id' | 'reference'> {
  readonly aliases: readonly string[]
  /** Undefined if it is not known yet: then the reference says whether it is the same. */
  readonly sha256: string | undefined
}

export type RegistryProblem = {
  readonly ok: false
  readonly code: 'name_taken' | 'too_many_models' | 'unknown_model'
  readonly message: string
}

/** `elsewhere`: it does not lie in the folder of models, and is its owner's. `in_use`: another model has the same file. */
export type FileFate = 'deleted' | 'kept' | 'elsewhere' | 'in_use' | 'not_deletable'

/**
 * The model files that this Host serves, in `models.json` of the state folder. Every call reads the file, so that a command
 * beside a running agent is seen by it. Throws a `FatalError` if the file is broken, which stays as it is.
 */
export class ModelRegistry {
  readonly #path: string
  #changing: Promise<unknown> = Promise.resolve()

  constructor(stateFolder: string) {
    this.#path = join(stateFolder, 'models.json')
  }

  async list(): Promise<readonly RegisteredModel[]> {
    return (await readJsonFile(this.#path, registryFile))?.models ?? []
  }

  /** The model of that id, or with that alias. */
  async find(name: string): Promise<RegisteredModel | undefined> {
    const models = await this.list()
    return models.find(({ id }) => id === name) ?? models.find(({ aliases }) => aliases.includes(name))
  }

  /** Why a model cannot be added; undefined if it can. The same file under the same id can always. */
  async obstacle(model: WantedModel): Promise<RegistryProblem | undefined> {
    return obstacleAmong(await this.list(), model)
  }

  /** Adds a model, or renews what is known about the same file under the same id. */
  add(model: RegisteredModel): Promise<{ readonly ok: true } | RegistryProblem> {
    return this.#change(async (models) => {
      const problem = obstacleAmong(models, model)
      if (problem !== undefined) return problem
      const others = models.filter(({ id }) => id !== model.id)
      await writeJsonFile(this.#path, { models: [...others, registeredModel.parse(model)] })
      return { ok: true }
    })
  }

  /** Serves a model no more. Its file is deleted if it lies in the given folder and no other model needs it. */
  remove(
    id: string,
    deleteIn: string | undefined,
  ): Promise<
    { readonly ok: true; readonly model: RegisteredModel; readonly file: FileFate } | RegistryProblem
  > {
    return this.#change(async (models) => {
      const model = models.find((other) => other.id === id)
      if (model === undefined) {
        const message = `${id} is not served here; see: daisi-host models list`
        return { ok: false, code: 'unknown_model', message }
      }
      const others = models.filter((other) => other !== model)
      await writeJsonFile(this.#path, { models: others })
      const file = deleteIn === undefined ? 'kept' : await deleteFile(model.path, deleteIn, others)
      return { ok: true, model, file }
    })
  }

  /** One change after the other. */
  #change<Result>(change: (models: readonly RegisteredModel[]) => Promise<Result>): Promise<Result> {
    const changed = this.#changing.then(async () => change(await this.list()))
    this.#changing = changed.catch(() => {})
    return changed
  }
}

function obstacleAmong(models: readonly RegisteredModel[], wanted: WantedModel): RegistryProblem | undefined {
  const same = models.find(
    ({ id, sha256, reference }) =>
      id === wanted.id &&
      (wanted.sha256 === undefined ? reference === wanted.reference : sha256 === wanted.sha256),
  )
  const others = models.filter((model) => model !== same)
  const taken = new Set(others.flatMap(({ id, aliases }) => [id, ...aliases]))
  const names = [wanted.id, ...wanted.aliases]
  const name = names.find((name, index) => taken.has(name) || names.indexOf(name) !== index)
  if (name !== undefined) {
    const message = `another model is called ${name}; remove it first, or choose another name with --id or --alias`
    return { ok: false, code: 'name_taken', message }
  }
  if (others.length < MAX_MODELS) return undefined
  const message = `${MAX_MODELS} models are served already; remove one first`
  return { ok: false, code: 'too_many_models', message }
}

async function deleteFile(
  path: string,
  folder: string,
  others: readonly RegisteredModel[],
): Promise<FileFate> {
  if (others.some((other) => other.path === path)) return 'in_use'
  // Links are followed before it is decided where the file lies.
  const [file, home] = await Promise.all([
    realpath(path).catch(() => path),
    realpath(folder).catch(() => folder),
  ])
  if (!file.startsWith(home.endsWith(sep) ? home : home + sep)) return 'elsewhere'
  return rm(file, { force: true }).then(
    () => 'deleted',
    () => 'not_deletable',
  )
}
