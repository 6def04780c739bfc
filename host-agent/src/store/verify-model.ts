import { FatalError } from '../exit-codes.ts'
import { findModel, hashModel, type ModelFile } from '../state/model-file.ts'
import type { RegisteredModel } from './model-registry.ts'

export type VerifiedModel =
  | { readonly ok: true; readonly file: ModelFile }
  | {
      readonly ok: false
      /** Missing, unreadable or no model; or another file than was added. */
      readonly code: 'model_unusable' | 'model_changed'
      readonly message: string
    }

/** Whether a model is still the file that was added. The file is read only if its size or date changed since it was last read. */
export async function verifyModel(stateFolder: string, model: RegisteredModel): Promise<VerifiedModel> {
  const again = `add it again with: daisi-host models remove ${model.id}, then models add ${model.reference}`
  let file: ModelFile
  try {
    file = await findModel(model.path)
  } catch (error) {
    if (!(error instanceof FatalError)) throw error
    const message = `${model.path} is missing, cannot be read, or is no model; ${again}`
    return { ok: false, code: 'model_unusable', message }
  }
  const isSame = file.sizeBytes === model.sizeBytes && (await hashModel(stateFolder, file)) === model.sha256
  if (isSame) return { ok: true, file }
  return {
    ok: false,
    code: 'model_changed',
    message: `${model.path} is not the file that was added; ${again}`,
  }
}
