import { basename } from 'node:path'
import { type CatalogueEntry, type DefaultSampling, type JobKind, modelId } from '@daisi/protocol'
import { FatalError } from '../exit-codes.ts'
import { findModel, hashModel, type ModelFile } from '../state/model-file.ts'
import { DownloadError } from './download-error.ts'
import { downloadModel, type DownloadSettings, requireHash } from './download-model.ts'
import type { Hub } from './hub.ts'
import { fileNameOf, type ModelReference, parseRemoteReference, referenceText } from './model-reference.ts'
import type { ModelRegistry, RegisteredModel } from './model-registry.ts'
import type { DownloadProgress } from './progress-meter.ts'

/** A model that its owner wants to serve. */
export interface ModelOrder {
  readonly reference: ModelReference
  /** Absent: the file's name. */
  readonly id?: string | undefined
  readonly aliases?: readonly string[]
  /** Any other file is refused. */
  readonly expectedSha256?: string | undefined
  readonly expectedSizeBytes?: number
  readonly kinds?: readonly JobKind[]
  readonly contextLength?: number
  readonly licence?: string
  readonly defaultSampling?: DefaultSampling
}

/** Where models are kept. */
export interface ModelStore {
  readonly registry: ModelRegistry
  readonly stateFolder: string
  /** For downloads. */
  readonly modelsFolder: string
  readonly hub: Hub
  readonly downloadSettings?: Partial<DownloadSettings>
}

export type OrderFromCatalogue =
  | { readonly ok: true; readonly order: ModelOrder }
  | { readonly ok: false; readonly code: 'bad_reference'; readonly message: string }

type FileWithHash = ModelFile & { readonly sha256: string }

export type AddedModel =
  | { readonly ok: true; readonly model: RegisteredModel }
  /** A `DownloadCode`, a code of the registry, `bad_id` or `model_unusable`. */
  | { readonly ok: false; readonly code: string; readonly message: string }

/** What to fetch for an entry of an Orc's catalogue: exactly its file, under its names. */
export function orderOf(entry: CatalogueEntry): OrderFromCatalogue {
  const parsed = parseRemoteReference(entry.url)
  if (!parsed.ok) return parsed
  const { id, aliases, sha256, sizeBytes, kinds, contextLength, licence, defaultSampling } = entry
  const pinned = { expectedSha256: sha256, expectedSizeBytes: sizeBytes }
  const described = { kinds, contextLength, licence, defaultSampling }
  return { ok: true, order: { reference: parsed.reference, id, aliases, ...pinned, ...described } }
}

/** Gets a model onto this machine, unless it is a file here already, and into the registry. */
export async function addModel(
  order: ModelOrder,
  store: ModelStore,
  signal: AbortSignal,
  onProgress: (progress: DownloadProgress) => void = () => {},
): Promise<AddedModel> {
  const { reference, id = idOf(reference), aliases = [], expectedSha256: sha256 } = order
  const badName = [id, ...aliases].find((name) => !modelId.safeParse(name).success)
  if (badName !== undefined) {
    const message = `${badName} cannot be a model id; give another with --id (letters, digits and . _ : / - only)`
    return { ok: false, code: 'bad_id', message }
  }
  const names = { id, aliases, reference: referenceText(reference) }
  const obstacle = await store.registry.obstacle({ ...names, sha256 })
  if (obstacle !== undefined) return obstacle
  try {
    const file = await obtain(order, store, signal, onProgress)
    const { kinds, contextLength, licence, defaultSampling } = order
    const model = {
      ...names,
      aliases: [...aliases],
      path: file.path,
      sha256: file.sha256,
      sizeBytes: file.sizeBytes,
      ...(kinds !== undefined && { kinds: [...kinds] }),
      ...(contextLength !== undefined && { contextLength }),
      ...(licence !== undefined && { licence }),
      ...(defaultSampling !== undefined && { defaultSampling }),
      addedAt: Date.now(),
    }
    const added = await store.registry.add(model)
    return added.ok ? { ok: true, model } : added
  } catch (error) {
    const isUnusable = error instanceof FatalError && error.code === 'model_unusable'
    if (!isUnusable && !(error instanceof DownloadError)) throw error
    return { ok: false, code: error.code, message: error.message }
  }
}

async function obtain(
  order: ModelOrder,
  store: ModelStore,
  signal: AbortSignal,
  onProgress: (progress: DownloadProgress) => void,
): Promise<FileWithHash> {
  const { reference, expectedSha256, expectedSizeBytes } = order
  const { stateFolder, modelsFolder: folder, hub, downloadSettings: settings = {} } = store
  if (reference.source !== 'file') {
    const expected = { expectedSha256, expectedSizeBytes }
    return downloadModel({ reference, folder, stateFolder, hub, ...expected, onProgress, signal, settings })
  }
  const file = await findModel(reference.path)
  const sha256 = await hashModel(stateFolder, file)
  requireHash(expectedSha256, sha256)
  return { ...file, sha256 }
}

/** What the model is called where its owner gives no name: as its file, or as the repository and the quantization. */
function idOf(reference: ModelReference): string {
  switch (reference.source) {
    case 'file':
      return basename(reference.path).replace(/\.gguf$/i, '')
    case 'hub-quantization': {
      const name = basename(reference.repository).replace(/-gguf$/i, '')
      return reference.quantization === 'latest' ? name : `${name}-${reference.quantization}`
    }
    case 'url':
    case 'hub-file':
      return fileNameOf(reference).replace(/\.gguf$/i, '')
  }
}
