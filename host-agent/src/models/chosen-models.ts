import { basename } from 'node:path'
import { modelId } from '@daisi/protocol'
import { ExitCode, FatalError } from '../exit-codes.ts'
import type { Logger } from '../log.ts'
import { findModel, hashModel } from '../state/model-file.ts'
import { type ModelReference, parseModelReference } from '../store/model-reference.ts'
import type { ModelKeeper } from './model-keeper.ts'
import type { ModelShelf } from './model-shelf.ts'

/** A model that the command line names. */
export interface ModelChoice {
  /** A path, an address, or a reference to a hub; see `parseModelReference`. */
  readonly reference: string
  /** Absent: after the file. */
  readonly id: string | undefined
}

/** Progress is logged this often. */
const PROGRESS_EVERY_MS = 10_000

/** Puts the models that the command line names on the shelf; those that are elsewhere are fetched first. Throws a `FatalError`. */
export async function serveChosen(
  choices: readonly ModelChoice[],
  { keeper, shelf, stateFolder }: { keeper: ModelKeeper; shelf: ModelShelf; stateFolder: string },
  logger: Logger,
): Promise<void> {
  for (const { reference: text, id } of choices) {
    const parsed = parseModelReference(text)
    if (!parsed.ok) throw modelError('bad_reference', parsed.message)
    const { reference } = parsed
    if (reference.source !== 'file') {
      await fetchChosen(reference, id, keeper, logger)
      continue
    }
    const name = checkModelId(id ?? basename(reference.path, '.gguf'))
    const file = await findModel(reference.path)
    logger.info({ model: name }, 'looking at the model')
    const problem = await keeper.serve({
      id: name,
      aliases: [],
      path: file.path,
      sha256: await hashModel(stateFolder, file),
    })
    if (problem !== undefined) throw modelError('model_load_failed', problem)
  }
  if (shelf.offers.length === 0) throw modelError('model_unusable', 'none of the models can be served')
}

async function fetchChosen(
  reference: ModelReference,
  id: string | undefined,
  keeper: ModelKeeper,
  logger: Logger,
): Promise<void> {
  let loggedAt = 0
  const added = await keeper.add({ reference, id }, new AbortController().signal, (progress) => {
    if (performance.now() - loggedAt < PROGRESS_EVERY_MS) return
    loggedAt = performance.now()
    const { phase, bytes, totalBytes } = progress
    logger.info({ event: 'download', phase, bytes, totalBytes }, 'fetching a model')
  })
  if (!added.ok) throw modelError(added.code, added.message)
}

function checkModelId(id: string): string {
  if (modelId.safeParse(id).success) return id
  const message = `${id} cannot be a model id; give another with --model-id (letters, digits and . _ : / - only)`
  throw new FatalError(ExitCode.Usage, 'invalid_model_id', message)
}

function modelError(code: string, message: string): FatalError {
  return new FatalError(ExitCode.Model, code, message)
}
